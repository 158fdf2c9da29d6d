"""Queries of the rotation: entered, asked, and what they brought."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from store import schedule_tables as own
from store import tables

CHUNK = 400


def enter(connection: Connection, platform: str, found: Sequence[dict[str, object]]) -> int:
    """Make the rotation of a platform these queries and no other: how many are new. Those left out rest, with their yield.

    Each is `{"text", "term", "place", "span_h", "severity"}`.
    """
    table = own.queries
    rows = connection.execute(select(table.c.id, table.c.text, table.c.span_h, table.c.active).where(table.c.platform == platform)).all()
    known = {(row.text, row.span_h): (row.id, row.active) for row in rows}
    wanted = {(str(one["text"]), int(str(one["span_h"]))): one for one in found}
    for active in (False, True):
        numbers = [number for pair, (number, was) in known.items() if was is not active and (pair in wanted) is active]
        for start in range(0, len(numbers), CHUNK):
            connection.execute(update(table).where(table.c.id.in_(numbers[start : start + CHUNK])).values(active=active))
    new = [{"platform": platform, **one} for pair, one in wanted.items() if pair not in known]
    if new:
        connection.execute(insert(table), new)
    return len(new)


def rotation(connection: Connection, platform: str | None = None) -> Sequence[RowMapping]:
    """Active queries, of one platform or (None) of all, by number."""
    table = own.queries
    query = select(table).where(table.c.active).order_by(table.c.id)
    return connection.execute(query.where(table.c.platform == platform) if platform else query).mappings().all()


def note_asked(connection: Connection, numbers: Sequence[int], *, now: datetime) -> None:
    """Note that these are being asked now."""
    table = own.queries
    connection.execute(update(table).where(table.c.id.in_(numbers)).values(asked=table.c.asked + 1, last_at=now))


def hits_of_rules(connection: Connection, *, since: datetime) -> dict[str, int]:
    """Rule -> hits opened since in which it stands and that nobody dismissed: what its terms brought."""
    rules, hits = tables.hit_rules, tables.hits
    query = select(rules.c.rule, func.count()).join(hits, hits.c.id == rules.c.hit_id)
    query = query.where(hits.c.opened_at >= since, hits.c.state != "dismissed").group_by(rules.c.rule)
    return {str(rule): int(count) for rule, count in connection.execute(query)}
