"""Files that are there whole or not at all, and on the disk before anybody is told so."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

PART = ".part-"
"""Begins the name of what is not whole yet."""


def put(path: Path, data: bytes) -> None:
    """Write a file and wait until its bytes are on the disk. Raises OSError, and then leaves what there is of it."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Wait until the names in a folder are on the disk. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace(path: Path, data: bytes) -> None:
    """Let `path` hold `data`: a kill at any instant leaves the old content or the new one. Raises OSError, with the old one in place."""
    part = path.with_name(f"{PART}{path.name}")
    try:
        put(part, data)
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    sync(path.parent)
