"""What was taken in before: an import of the same file, whole or after a kill, adds nothing.

A source's piece is the same piece where address and hash are the same and so is the moment at which it was seen. A piece whose
source does not say when it was seen carries the moment of its import, which is that of its sweep: such a row stands for any moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from domain.model import Harvest
from store import tables
from store.door import clean_key

ASKED_AT_ONCE = 400
"""Addresses in one question; SQLite takes 32,766 values."""
Key = tuple[str, str]


def known(connection: Connection, harvests: Sequence[Harvest], *, undated: datetime) -> list[bool]:
    """For each of a batch whether it stands in the store, or earlier in the batch. `undated` is the moment of this import."""
    keys = [(clean_key(one.capture.url), one.capture.sha256) for one in harvests]
    seen = _seen(connection, sorted(set(keys)))
    found = []
    for key, harvest in zip(keys, harvests, strict=True):
        at = None if harvest.capture.fetched_at == undated else harvest.capture.fetched_at
        moments = seen.setdefault(key, set())
        found.append(bool(moments) and (at is None or at in moments or None in moments))
        moments.add(at)
    return found


def _seen(connection: Connection, keys: Sequence[Key]) -> dict[Key, set[datetime | None]]:
    """The moments at which each of these was seen; None stands for any."""
    pages, sweeps = tables.captures, tables.sweeps
    undated = and_(sweeps.c.purpose == "import", sweeps.c.began_at == pages.c.fetched_at)
    query = select(pages.c.url, pages.c.sha256, pages.c.fetched_at, undated.label("undated")).join(sweeps, sweeps.c.id == pages.c.sweep_id)
    found: dict[Key, set[datetime | None]] = {}
    for start in range(0, len(keys), ASKED_AT_ONCE):
        part = keys[start : start + ASKED_AT_ONCE]
        asked = query.where(pages.c.url.in_([url for url, _ in part]), pages.c.sha256.in_([digest for _, digest in part]))
        for url, digest, at, any_moment in connection.execute(asked):
            found.setdefault((url, digest), set()).add(None if any_moment else at)
    return found


def postings_known(connection: Connection, prints: Sequence[str]) -> int:
    """How many of these fingerprints stand in the store."""
    found = 0
    for start in range(0, len(prints), ASKED_AT_ONCE):
        query = (
            select(func.count())
            .select_from(tables.postings)
            .where(tables.postings.c.fingerprint.in_(prints[start : start + ASKED_AT_ONCE]))
        )
        found += int(connection.execute(query).scalar_one())
    return found
