"""The audit chain's head, noted outside the database: a chain whose tail was cut off still holds together, but not with these notes.

`DIR/audit.heads` holds one line `seq hash` a committed transaction, appended only. Copy it to another machine, or print its last
line now and then: what is noted there cannot be rewritten here.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, select

from store import tables

KEY = "wangxun_audit_head"
NAME = "audit.heads"
log = logging.getLogger(__name__)

Head = tuple[int, str]


def note(folder: Path, head: Head) -> None:
    """Append one head. Called after the commit: a crash in between leaves the notes behind the chain, never ahead of it.

    A full disk is logged and no more: the transaction stands already.
    """
    try:
        handle = os.open(folder / NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            os.write(handle, f"{head[0]} {head[1]}\n".encode())
        finally:
            os.close(handle)
    except OSError as error:
        log.warning("audit head=%s noted=no why=%s", head[0], error.strerror)


def verify(connection: Connection, folder: Path) -> tuple[int, list[str]]:
    """Compare the notes with the chain: (heads read, faults)."""
    heads, faults = list(_read(folder / NAME)), []
    for start in range(0, len(heads), 500):
        part = heads[start : start + 500]
        query = select(tables.audit.c.seq, tables.audit.c.hash).where(tables.audit.c.seq.in_([seq for seq, _ in part]))
        found = {row.seq: row.hash for row in connection.execute(query)}
        for seq, hashed in part:
            if seq not in found:
                faults.append(
                    f"audit:{seq}: was noted in {NAME} and is gone from the database; the chain's tail was cut off or an old copy put back"
                )
            elif found[seq] != hashed:
                faults.append(f"audit:{seq}: is not the row that was noted in {NAME}; the chain was written anew")
    return len(heads), faults


def _read(path: Path) -> Iterator[Head]:
    """The noted heads; a half-written last line (a crash, a full disk) is passed over."""
    if not path.is_file():
        return
    with path.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            seq, _, hashed = line.rstrip("\n").partition(" ")
            if line.endswith("\n") and seq.isdigit() and len(hashed) == 64:
                yield int(seq), hashed
