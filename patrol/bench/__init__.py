"""Heavy figures, never a timed test. Every bench gives one object: name, figures, ratios, machine."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """What the figures were measured on; ratios travel, absolute figures do not."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        model = next((line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")), "")
    return {"cores": os.cpu_count(), "cpu": model, "python": platform.python_version(), "system": platform.system()}


def result(name: str, *, figures: dict[str, float | int], ratios: dict[str, float] | None = None) -> dict[str, Any]:
    """The object that every bench prints."""

    def rounded(values: dict[str, Any]) -> dict[str, Any]:
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}

    return {"name": name, "figures": rounded(figures), "ratios": rounded(ratios or {}), "machine": machine()}
