"""Sources of the schedule: entered, credited with what their visits found, learned from, asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from store import schedule_tables as own
from store import tables
from store.door import clean_key

HITS_MARK = "schedule.hits"
"""Row of `serials`: number of the last hit that was credited to a source."""
CHUNK = 400
VISIT_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Whence:
    """By whom a page was asked for."""

    source_id: int
    query_id: int | None = None
    entry: bool = False
    """Whether it is the source's own page."""
    origin: str | None = None
    """The page that promoted it, one hop before."""


def enter(connection: Connection, found: Mapping[str, Sequence[str]], *, belief: Mapping[str, float], now: datetime) -> int:
    """Make the sources of each of these platforms those given and no other: how many are new.

    Those left out rest with what was learned; platforms that are not named stay as they are.
    """
    table = own.sources
    rows = connection.execute(select(table.c.id, table.c.platform, table.c.url, table.c.active))
    known = {(row.platform, row.url): (row.id, row.active) for row in rows if row.platform in found}
    wanted = {(platform, clean_key(url)) for platform, urls in found.items() for url in urls}
    rest = [number for pair, (number, active) in known.items() if active and pair not in wanted]
    wake = [number for pair, (number, active) in known.items() if not active and pair in wanted]
    for numbers, active in ((rest, False), (wake, True)):
        for start in range(0, len(numbers), CHUNK):
            connection.execute(update(table).where(table.c.id.in_(numbers[start : start + CHUNK])).values(active=active))
    new = [{"platform": platform, "url": url, "added_at": now, **belief} for platform, url in sorted(wanted - known.keys())]
    if new:
        connection.execute(insert(table), new)
    return len(new)


def active(connection: Connection) -> Sequence[RowMapping]:
    """Sources that are patrolled, by number."""
    table = own.sources
    return connection.execute(select(table).where(table.c.active).order_by(table.c.id)).mappings().all()


def of_platform(connection: Connection, platform: str) -> Sequence[RowMapping]:
    """Active sources of one platform, by number."""
    table = own.sources
    return connection.execute(select(table).where(table.c.active, table.c.platform == platform).order_by(table.c.id)).mappings().all()


def set_out(connection: Connection, numbers: Sequence[int], *, now: datetime) -> None:
    """Note that a sweep sets out for these."""
    table = own.sources
    for start in range(0, len(numbers), CHUNK):
        connection.execute(update(table).where(table.c.id.in_(numbers[start : start + CHUNK])).values(tried_at=now))


def credit(connection: Connection, sweep_id: int, *, of: Mapping[str, Whence]) -> int:
    """Write what a sweep's captures brought to the sources and queries that asked for them: how many sources it set out for.

    `of` names by asked address. A source whose own page did not come is a visit that did not reach it. A sweep is credited once.
    """
    pages, visits_of = tables.captures, own.source_visits
    if connection.execute(select(visits_of.c.id).where(visits_of.c.sweep_id == sweep_id).limit(1)).first() is not None:
        return 0
    began_at = connection.execute(select(tables.sweeps.c.began_at).where(tables.sweeps.c.id == sweep_id)).scalar_one()
    rows = connection.execute(select(pages.c.id, pages.c.url, pages.c.status, pages.c.fetched_at).where(pages.c.sweep_id == sweep_id)).all()
    keyed = {clean_key(url): whence for url, whence in of.items()}
    new = _new(connection, [row.id for row in rows if row.url in keyed], since=began_at)
    visits = {one.source_id: _visit(one.source_id, sweep_id, began_at) for one in keyed.values() if one.entry}
    asked: dict[int, list[int]] = {}
    finds: list[dict[str, Any]] = []
    for row in rows:
        whence = keyed.get(row.url)
        if whence is None:
            continue
        found, visit = new.get(row.id, 0), visits.setdefault(whence.source_id, _visit(whence.source_id, sweep_id, began_at))
        visit["requests"], visit["found"] = visit["requests"] + 1, visit["found"] + found
        if whence.entry and row.status < 400:
            visit["reached"], visit["at"] = True, max(visit["at"], row.fetched_at)
        if whence.query_id is not None:
            counts = asked.setdefault(whence.query_id, [0, 0])
            counts[:] = [counts[0] + 1, counts[1] + found]
        if found or whence.origin:
            finds.append(
                {"capture_id": row.id, "source_id": whence.source_id, "query_id": whence.query_id, "origin": whence.origin, "new": found}
            )
    for table, given in ((own.finds, finds), (visits_of, list(visits.values()))):
        if given:
            connection.execute(insert(table), given)
    for query_id, (requests, found) in asked.items():
        _count_query(connection, query_id, requests=requests, found=found)
    return len(visits)


def _visit(source_id: int, sweep_id: int, at: datetime) -> dict[str, Any]:
    return {"source_id": source_id, "sweep_id": sweep_id, "at": at, "found": 0, "requests": 0, "reached": False, "learned": False}


def _new(connection: Connection, captures: Sequence[int], *, since: datetime) -> dict[int, int]:
    """Postings that were seen first on each of these captures. Postings seen since the sweep began are few; all of them are not."""
    table, result = tables.postings, dict[int, int]()
    for start in range(0, len(captures), CHUNK):
        wanted = table.c.first_capture_id.in_(captures[start : start + CHUNK])
        query = select(table.c.first_capture_id, func.count()).where(table.c.last_seen_at >= since, wanted)
        result.update({int(number): int(count) for number, count in connection.execute(query.group_by(table.c.first_capture_id))})
    return result


def _count_query(connection: Connection, query_id: int, *, requests: int, found: int) -> None:
    table = own.queries
    given = {"requests": table.c.requests + requests, "found": table.c.found + found}
    connection.execute(update(table).where(table.c.id == query_id).values(**given))


def unlearned(connection: Connection, *, limit: int = 10_000) -> Sequence[RowMapping]:
    """Visits that nothing was learned from yet, oldest first."""
    table = own.source_visits
    return connection.execute(select(table).where(~table.c.learned).order_by(table.c.id).limit(limit)).mappings().all()


def keep_learned(connection: Connection, beliefs: Sequence[Mapping[str, Any]], *, visits: Sequence[int]) -> None:
    """Write beliefs (each with its source's `number`), and that these visits were learned from, in one go."""
    table = own.sources
    if beliefs:
        names = [name for name in beliefs[0] if name != "number"]
        changed = update(table).where(table.c.id == bindparam("number")).values({name: bindparam(name) for name in names})
        connection.execute(changed, [dict(one) for one in beliefs])
    for start in range(0, len(visits), CHUNK):
        connection.execute(update(own.source_visits).where(own.source_visits.c.id.in_(visits[start : start + CHUNK])).values(learned=True))


def count_visit(connection: Connection, visit: RowMapping) -> None:
    """Count a visit for a source whose platform keeps a fixed interval: nothing is learned, but officers see what it brought."""
    table = own.sources
    if visit["reached"]:
        values = {"visits": table.c.visits + 1, "found": table.c.found + visit["found"], "last_at": visit["at"], "failures": 0}
        connection.execute(update(table).where(table.c.id == visit["source_id"]).values(**values))


def credit_hits(connection: Connection) -> int:
    """Credit hits opened since the last time to the source and the query whose visit saw their posting first: how many."""
    serials, hits, posts = tables.serials, tables.hits, tables.postings
    mark = connection.execute(select(serials.c.last).where(serials.c.name == HITS_MARK)).scalar()
    query = (
        select(hits.c.id, own.finds.c.source_id, own.finds.c.query_id)
        .join(posts, posts.c.id == hits.c.posting_id)
        .outerjoin(own.finds, own.finds.c.capture_id == posts.c.first_capture_id)
        .where(hits.c.id > (mark or 0))
        .order_by(hits.c.id)
        .limit(CHUNK * 10)
    )
    rows = connection.execute(query).all()
    if not rows:
        return 0
    for table, column in ((own.sources, 1), (own.queries, 2)):
        counts: dict[int, int] = {}
        for row in rows:
            if row[column] is not None:
                counts[row[column]] = counts.get(row[column], 0) + 1
        for number, count in counts.items():
            connection.execute(update(table).where(table.c.id == number).values(hits=table.c.hits + count))
    if mark is None:
        connection.execute(insert(serials).values(name=HITS_MARK, last=rows[-1][0]))
    else:
        connection.execute(update(serials).where(serials.c.name == HITS_MARK).values(last=rows[-1][0]))
    return sum(row[1] is not None for row in rows)


def rhythms(connection: Connection) -> dict[str, tuple[list[float], list[float]]]:
    """Kind -> (postings seen, postings expected under the flat rhythm), 24 numbers each."""
    return {row.kind: (list(row.seen), list(row.expected)) for row in connection.execute(select(own.rhythms))}


def keep_rhythms(connection: Connection, found: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> None:
    """Write the hours of day of each kind."""
    for kind, (seen, expected) in found.items():
        row = {"kind": kind, "seen": list(seen), "expected": list(expected)}
        connection.execute(_upsert(connection, own.rhythms, row, key="kind"))


def manners(connection: Connection) -> dict[str, RowMapping]:
    """What each platform asked of us."""
    return {row["platform"]: row for row in connection.execute(select(own.manners)).mappings()}


def keep_manners(connection: Connection, platform: str, **values: Any) -> None:
    """Write what a platform asked of us: crawl_delay_s, blocked_until, why, walls."""
    whole = {"platform": platform, "crawl_delay_s": 0.0, "blocked_until": None, "why": "", "walls": 0, **values}
    connection.execute(_upsert(connection, own.manners, whole, key="platform", changed=tuple(values)))


def _upsert(connection: Connection, table: Any, row: Mapping[str, Any], *, key: str, changed: Sequence[str] = ()) -> Any:
    statement = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table).values(**row)
    names = changed or [name for name in row if name != key]
    return statement.on_conflict_do_update(index_elements=[table.c[key]], set_={name: statement.excluded[name] for name in names})
