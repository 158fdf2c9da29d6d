"""The house keeps its own promises: names, floors, wiring, papers. A failure says what to write where."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("domain", "rules", "store", "crawlers", "classifiers", "pipelines", "console", "patrol")


def sources(*rooms: str) -> Iterator[Path]:
    """Our Python files, in a steady order."""
    for room in rooms or ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def shown(path: Path) -> str:
    """The path as a person in the project root would type it."""
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
