"""What was read in each picture of the store: found again by its bytes, or by how it looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from store import tables
from store.engine import Store
from store.picturetable import BANDS, pictures

CANDIDATES = 3000
"""Rows whose hashes are compared at most: a band of 13 bits is shared by a few hundred pictures in a million."""
LOOKALIKES = 3
"""Pictures whose pixels are compared at most."""


def known(store: Store, sha256: str, *, reader: str, now: datetime) -> Mapping[str, Any] | None:
    """What this version of the reader read in these bytes before; None where it has not."""
    mine = (pictures.c.sha256 == sha256, pictures.c.reader == reader, pictures.c.reading.is_not(None))
    with store.read() as connection:
        row = connection.execute(select(pictures.c.reading, pictures.c.last_at).where(*mine)).first()
    if row is None:
        return None
    if now - row.last_at > timedelta(days=1):  # a write a day and picture, not one a look
        with store.write() as connection:
            connection.execute(update(pictures).where(*mine).values(last_at=now))
    found: Mapping[str, Any] = row.reading
    return found


def begin(store: Store, sha256: str, *, reader: str, capture_id: int, now: datetime) -> int:
    """Note that reading begins, before it does: how often this reader has begun by now without coming to an end, 1 the first time."""
    row = {"sha256": sha256, "reader": reader, "capture_id": capture_id, "phash": "", "attempts": 1, "first_at": now, "last_at": now}
    mine = pictures.c.sha256 == sha256
    with store.write() as connection:
        statement = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(pictures).values(**row)
        first = statement.on_conflict_do_nothing(index_elements=[pictures.c.sha256]).returning(pictures.c.sha256)
        if connection.execute(first).first() is not None:
            return 1
        found = connection.execute(select(pictures.c.reader, pictures.c.attempts).where(mine)).one()
        values: dict[str, Any] = {"reader": reader, "capture_id": capture_id, "last_at": now, "attempts": int(found.attempts) + 1}
        if found.reader != reader:
            values |= {"attempts": 1, "reading": None, "like": None, "phash": "", **_columns([None] * BANDS)}
        connection.execute(update(pictures).where(mine).values(**values))
        return int(values["attempts"])


def keep(store: Store, sha256: str, *, reading: Mapping[str, Any], phash: str, like: str | None = None) -> None:
    """Keep what was read, or taken over from the picture `like`. The row has been begun."""
    bands: Sequence[int | None] = _bands(phash) if phash and like is None else [None] * BANDS
    values = {"reading": dict(reading), "phash": phash, "like": like, "attempts": 0, **_columns(bands)}
    with store.write() as connection:
        connection.execute(update(pictures).where(pictures.c.sha256 == sha256).values(**values))


def lookalikes(store: Store, phash: str, *, reader: str, distance: int) -> Sequence[RowMapping]:
    """Pictures that were read themselves and whose hash differs in `distance` bits at most, the nearest first: sha256, reading, and
    where the bytes lie (warc, warc_offset, warc_length), those whose bytes are gone left out."""
    pages, mine = tables.captures, int(phash, 16)
    shared = or_(*(pictures.c[f"band{number}"] == value for number, value in enumerate(_bands(phash))))
    query = select(pictures.c.sha256, pictures.c.phash).where(shared, pictures.c.reader == reader, pictures.c.reading.is_not(None))
    with store.read() as connection:
        near = [
            (gap, sha256)
            for sha256, other in connection.execute(query.limit(CANDIDATES))
            if (gap := (int(other, 16) ^ mine).bit_count()) <= distance
        ]
        if not near:
            return []
        order = [sha256 for _, sha256 in sorted(near)[:LOOKALIKES]]
        columns = (pictures.c.sha256, pictures.c.reading, pages.c.warc, pages.c.warc_offset, pages.c.warc_length)
        found = (
            select(*columns).join(pages, pages.c.id == pictures.c.capture_id).where(pictures.c.sha256.in_(order), pages.c.warc.is_not(None))
        )
        rows = {row["sha256"]: row for row in connection.execute(found).mappings()}
    return [rows[sha256] for sha256 in order if sha256 in rows]


def expire(store: Store, *, now: datetime) -> int:
    """Let go of what was read in pictures that nobody has met for `dismissed_days`: how many.

    Source: 个人信息保护法 art 19; a poster may name people.
    """
    cutoff = now - timedelta(days=store.settings.dismissed_days)
    with store.write() as connection:
        return connection.execute(delete(pictures).where(pictures.c.last_at < cutoff)).rowcount


def _columns(bands: Sequence[int | None]) -> dict[str, int | None]:
    return {f"band{number}": value for number, value in enumerate(bands)}


def _bands(phash: str) -> list[int]:
    """The hash in BANDS parts of 13 bits, the last one of 12."""
    value = int(phash, 16)
    return [(value >> (13 * number)) & 0x1FFF for number in range(BANDS)]
