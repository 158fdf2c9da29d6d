"""The audit log: append-only, each row chained to the one before by SHA-256."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text

from store import anchor, tables
from store.shelves import mended

GENESIS = "0" * 64
_LOCK = 0x77616E67  # "wang": one advisory lock for the chain's end


def digest(*, seq: int, at: datetime, actor: str, action: str, subject: str, detail: dict[str, Any], previous: str) -> str:
    """Hex SHA-256 over the row's canonical JSON, the hash of the row before included."""
    row = [seq, at.astimezone(UTC).isoformat(timespec="microseconds"), actor, action, subject, detail, previous]
    line = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(line.encode("utf-8", "surrogatepass")).hexdigest()


def alone(connection: Connection) -> None:
    """Be the only transaction past this point until its end: what SQLite's write lock gives anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def append(connection: Connection, *, actor: str, action: str, subject: str, at: datetime, detail: dict[str, Any] | None = None) -> int:
    """Add one row at the chain's end, inside the caller's write transaction; returns its number.

    `detail` is JSON; no contacts and no body text go in.
    """
    alone(connection)
    last = connection.execute(select(tables.audit.c.seq, tables.audit.c.hash).order_by(tables.audit.c.seq.desc()).limit(1)).first()
    seq, previous = (last.seq + 1, last.hash) if last else (1, GENESIS)
    said = mended({"actor": actor, "action": action, "subject": subject, "detail": detail or {}})
    row = {"seq": seq, "at": at, "previous": previous, **said}
    hashed = digest(**row)
    connection.execute(insert(tables.audit).values(**row, hash=hashed))
    connection.info[anchor.KEY] = (seq, hashed)  # noted outside the database once this transaction is committed
    return seq


def verify(connection: Connection) -> tuple[int, list[str]]:
    """Walk the whole chain: (rows read, faults). Each fault names the first row that does not follow from the one before."""
    previous, expected, faults = GENESIS, 1, []
    rows = connection.execute(select(tables.audit).order_by(tables.audit.c.seq)).mappings()
    count = 0
    for row in rows:
        count += 1
        if row["seq"] != expected:
            faults.append(f"audit:{expected}: missing; the next row is {row['seq']}")
        if row["previous"] != previous:
            faults.append(f"audit:{row['seq']}: does not follow the row before")
        body = {name: row[name] for name in ("seq", "at", "actor", "action", "subject", "detail", "previous")}
        if digest(**body) != row["hash"]:
            faults.append(f"audit:{row['seq']}: its content was changed")
        previous, expected = row["hash"], row["seq"] + 1
    return count, faults
