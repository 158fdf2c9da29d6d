"""Checkpoints and notes of a training run, kept whole through a kill or a full disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Writes `state` whole or not at all: whatever happens, the last good checkpoint stays in force. Raises OSError."""
    part = path.with_suffix(".part")
    try:
        torch.save(dict(state), part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def note(path: Path, row: Mapping[str, float]) -> None:
    """Adds one line of figures to the run's log."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(dict(row)) + "\n")


def notes(path: Path) -> list[dict[str, float]]:
    """The lines of a run's log, in order."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
