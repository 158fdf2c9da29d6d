"""Postings whose pictures wait to be read, and where the pictures' bytes lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, or_, select, update

from domain.clock import CLOCK_SLACK
from store import tables
from store.engine import Store

ARRIVAL_S = 60.0
"""Pictures are fetched right after their page: those that have not come by then, on a platform whose pictures are not fetched, do not."""


MIMES = ("image/%", "video/%", "application/octet%")


def lease_unread(store: Store, *, worker: str, now: datetime, limit: int, lease_s: float) -> Sequence[RowMapping]:
    """Up to `limit` postings whose pictures can be read, oldest first, held for `worker` for `lease_s` seconds.

    They can be read when their sweep has ended, or ARRIVAL_S after they were seen. Columns: id and images.
    """
    posts, pages, sweeps = tables.postings, tables.captures, tables.sweeps
    ended = select(sweeps.c.id).join(pages, pages.c.sweep_id == sweeps.c.id).where(pages.c.id == posts.c.last_capture_id)
    ready = or_(ended.where(sweeps.c.ended_at.is_not(None)).exists(), posts.c.last_seen_at <= now - timedelta(seconds=ARRIVAL_S))
    possible = now + timedelta(seconds=lease_s) + CLOCK_SLACK
    free = or_(posts.c.leased_until.is_(None), posts.c.leased_until <= now, posts.c.leased_until > possible)
    query = select(posts.c.id).where(and_(posts.c.read_at.is_(None), free, ready)).order_by(posts.c.id).limit(limit)
    with store.write() as connection:
        ids = list(connection.execute(query.with_for_update(skip_locked=True)).scalars())
        if not ids:
            return []
        until = now + timedelta(seconds=lease_s)
        connection.execute(update(posts).where(posts.c.id.in_(ids)).values(leased_by=worker, leased_until=until))
        return connection.execute(select(posts.c.id, posts.c.images).where(posts.c.id.in_(ids)).order_by(posts.c.id)).mappings().all()


def captures_of(store: Store, urls: Sequence[str]) -> Mapping[str, RowMapping]:
    """The newest capture of each picture address that has its bytes."""
    table, found = tables.captures, {}
    with store.read() as connection:
        for start in range(0, len(urls), 200):
            part = urls[start : start + 200]
            query = select(table).where(or_(table.c.url.in_(part), table.c.final_url.in_(part)), table.c.warc.is_not(None))
            query = query.where(or_(*(table.c.mime.like(one) for one in MIMES))).order_by(table.c.id)
            for row in connection.execute(query).mappings():
                found[row["url"]] = found[row["final_url"]] = row
    return found


def settle(store: Store, read: Mapping[int, Sequence[Mapping[str, Any]]], *, now: datetime, worker: str) -> int:
    """Write what was read: {posting id: its images}. Postings whose lease another holds now are passed over: how many were written.

    A posting that had been judged without its pictures, and in which something was found now, waits to be judged again.
    """
    table, written = tables.postings, 0
    with store.write() as connection:
        for posting_id, images in sorted(read.items()):
            found = any(one.get("text") or one.get("qr") for one in images)
            values: dict[str, Any] = {"images": [dict(one) for one in images], "read_at": now, "leased_by": None, "leased_until": None}
            if found:
                values["assessed_at"] = None
            mine = (table.c.id == posting_id, table.c.read_at.is_(None), table.c.leased_by == worker)
            written += connection.execute(update(table).where(*mine).values(**values)).rowcount
    return written


def give_back(store: Store, posting_ids: Sequence[int], *, worker: str) -> None:
    """Let others have leased postings that were not read."""
    table = tables.postings
    with store.write() as connection:
        mine = update(table).where(table.c.id.in_(posting_ids), table.c.leased_by == worker, table.c.read_at.is_(None))
        connection.execute(mine.values(leased_by=None, leased_until=None))


def kinds_of(connection: Connection, digests: Sequence[str]) -> dict[str, str]:
    """Hash of a picture's bytes -> the media type that it came with."""
    table = tables.captures
    query = select(table.c.sha256, table.c.mime).where(table.c.sha256.in_(digests)).order_by(table.c.id)
    return {row.sha256: row.mime for row in connection.execute(query)} if digests else {}
