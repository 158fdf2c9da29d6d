"""Counting: how much of everything there is, and in which state. Used by reports, the demo's tally and the benches."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Table, func, select

from store import tables

LEVELS = ("clear", "watch", "review", "alert")


def totals(connection: Connection) -> dict[str, int]:
    """Rows of each kind: sweeps, captures, postings, assessments, hits, decisions, notices, leads, deliveries, alarms."""
    names = ("sweeps", "captures", "postings", "assessments", "hits", "decisions", "notices", "leads", "deliveries", "alarms")
    return {name: _count(connection, getattr(tables, name)) for name in names}


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def by_state(connection: Connection, machine: str) -> dict[str, int]:
    """State -> rows, of hit, notice, lead or delivery; only the states that occur."""
    table = {"hit": tables.hits, "notice": tables.notices, "lead": tables.leads, "delivery": tables.deliveries}[machine]
    rows = connection.execute(select(table.c.state, func.count()).group_by(table.c.state))
    return {str(state): int(count) for state, count in rows}


def sweeps_by_outcome(connection: Connection, *, since: datetime | None = None) -> dict[str, int]:
    """Outcome -> sweeps, of those that began at `since` or later."""
    table = tables.sweeps
    query = select(table.c.outcome, func.count()).group_by(table.c.outcome)
    rows = connection.execute(query.where(table.c.began_at >= since) if since else query)
    return {str(outcome): int(count) for outcome, count in rows}


def platforms_swept(connection: Connection, *, since: datetime) -> set[str]:
    """Platforms whose sweep began at `since` or later and has ended."""
    table = tables.sweeps
    query = select(table.c.platform).where(table.c.began_at >= since, table.c.ended_at.is_not(None), table.c.purpose == "patrol").distinct()
    return {str(platform) for platform in connection.execute(query).scalars()}


def highest_levels(connection: Connection) -> dict[str, str]:
    """Address of each posting -> the highest level that any wording of it was assessed at."""
    rows = connection.execute(
        select(tables.postings.c.url, tables.assessments.c.level).join(
            tables.assessments, tables.assessments.c.posting_id == tables.postings.c.id
        )
    )
    found: dict[str, str] = {}
    for url, level in rows:
        if url not in found or LEVELS.index(level) > LEVELS.index(found[url]):
            found[url] = level
    return found


def unassessed(connection: Connection) -> int:
    """Postings that wait to be judged."""
    table = tables.postings
    return int(connection.execute(select(func.count()).select_from(table).where(table.c.assessed_at.is_(None))).scalar_one())


def ever_rectified(connection: Connection) -> int:
    """Notices that a recheck found rectified once, whatever came after."""
    table = tables.notices
    return int(connection.execute(select(func.count()).select_from(table).where(table.c.down_at.is_not(None))).scalar_one())


def with_feedback(connection: Connection) -> tuple[int, int, int]:
    """(leads referred, receipts, leads with feedback)."""
    table = tables.leads
    query = select(func.count(table.c.referred_at), func.count(table.c.receipt), func.count(table.c.feedback_at))
    referred, receipts, feedback = connection.execute(query).one()
    return int(referred), int(receipts), int(feedback)
