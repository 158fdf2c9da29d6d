"""Counting by the way that things came: handed in, by a search, from which platform; and what was tied or found cloaking."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from store import tables
from store.cloaktables import cloaks
from store.schedule_tables import queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came in files that were made elsewhere."""

    postings: int
    hits: int
    refused: int
    """Pieces that were not taken in."""


def by_way(connection: Connection) -> Imported:
    """What imports brought."""
    sweeps, captures, postings, hits = tables.sweeps, tables.captures, tables.postings, tables.hits
    came = select(captures.c.id).join(sweeps, sweeps.c.id == captures.c.sweep_id).where(sweeps.c.purpose == "import")
    brought = postings.c.first_capture_id.in_(came)
    count = connection.execute(select(func.count()).select_from(postings).where(brought)).scalar_one()
    opened = connection.execute(select(func.count()).select_from(hits.join(postings)).where(brought)).scalar_one()
    rows = connection.execute(select(sweeps.c.counts).where(sweeps.c.purpose == "import")).scalars()
    return Imported(postings=int(count), hits=int(opened), refused=sum(int(row.get("sweep/refused", 0)) for row in rows))


def by_platform(connection: Connection) -> dict[str, int]:
    """Platform -> postings."""
    table = tables.postings
    rows = connection.execute(select(table.c.platform, func.count()).group_by(table.c.platform))
    return {str(name): int(count) for name, count in rows}


def hits_by_platform(connection: Connection) -> dict[str, int]:
    """Platform -> hits."""
    postings, hits = tables.postings, tables.hits
    rows = connection.execute(select(postings.c.platform, func.count()).select_from(hits.join(postings)).group_by(postings.c.platform))
    return {str(name): int(count) for name, count in rows}


def queries_asked(connection: Connection) -> tuple[int, int]:
    """(different queries of the rotation that were asked, hits that they brought)."""
    asked = connection.execute(select(func.count()).select_from(queries).where(queries.c.asked > 0)).scalar_one()
    return int(asked), int(connection.execute(select(func.coalesce(func.sum(queries.c.hits), 0))).scalar_one())


def campaigns_across(connection: Connection) -> int:
    """Campaigns whose hits stand on two platforms or more."""
    postings, hits = tables.postings, tables.hits
    groups = (
        select(hits.c.campaign_id)
        .select_from(hits.join(postings))
        .where(hits.c.campaign_id.is_not(None))
        .group_by(hits.c.campaign_id)
        .having(func.count(postings.c.platform.distinct()) > 1)
    )
    return int(connection.execute(select(func.count()).select_from(groups.subquery())).scalar_one())


def cloaked(connection: Connection) -> int:
    """Different pages that showed one visitor what they did not show another."""
    return int(connection.execute(select(func.count(cloaks.c.url.distinct())).where(cloaks.c.verdict == "differs")).scalar_one())
