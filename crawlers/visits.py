"""The list of pages that a recheck visits."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

log = logging.getLogger(__name__)


def visits(path: Path) -> Iterator[str]:
    """Addresses of a visit file (JSON lines with `url`); broken lines are left out and logged."""
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not text.strip():
            continue
        try:
            yield str(json.loads(text)["url"])
        except (ValueError, KeyError, TypeError):
            log.warning("visit file=%s line=%d is no JSON object with url", path, number)
