"""A sweep is measured by its own memory, whatever started it."""

from __future__ import annotations

import subprocess
import sys

from patrol.process import ROOT

CHILD = "from crawlers.memory import ResidentMemory; print(ResidentMemory.get_virtual_size(None) // 1_000_000)"
PARENT = f"kept = b'x' * 600_000_000; import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {CHILD!r}]).returncode)"


def test_a_sweep_is_not_charged_with_the_memory_of_its_parent() -> None:
    answer = subprocess.run([sys.executable, "-c", PARENT], cwd=ROOT, capture_output=True, text=True, check=True)
    assert 10 < int(answer.stdout) < 300
