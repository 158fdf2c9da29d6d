"""How much memory a sweep holds now, for Scrapy's own limit."""

from __future__ import annotations

import psutil
from scrapy.extensions.memusage import MemoryUsage


class ResidentMemory(MemoryUsage):
    """Scrapy's extension reads the kernel's peak, which a process inherits from the one that started it.

    A sweep started by a large daemon would be ended for its parent's size. This reads what is resident now, in bytes.
    """

    def get_virtual_size(self) -> int:
        return int(psutil.Process().memory_info().rss)
