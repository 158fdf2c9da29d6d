"""Runs of jobs: one row each, the proof that the patrol went round the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from domain.clock import hour_of
from store import tables
from store.door import clean


def begin_run(connection: Connection, *, job: str, now: datetime, due_at: datetime | None = None) -> int:
    """Note that `job` starts: the run's number. `due_at` is when it should have started."""
    row: dict[str, Any] = {"job": job, "due_at": due_at, "began_at": now, "outcome": "running", "why": "", "counts": {}}
    return int(connection.execute(insert(tables.runs).values(**row)).inserted_primary_key[0])  # type: ignore[index]


def end_run(
    connection: Connection, run_id: int, *, outcome: str, now: datetime, why: str = "", counts: Mapping[str, int] | None = None
) -> bool:
    """Note how it ended: ok, failed, killed or skipped. False where the run had been ended already, which is left as it is."""
    table = tables.runs
    values = {"outcome": outcome, "why": clean(why)[:2000], "counts": dict(counts or {}), "ended_at": now}
    return connection.execute(update(table).where(table.c.id == run_id, table.c.outcome == "running").values(**values)).rowcount == 1


def missed(connection: Connection, *, job: str, due_at: datetime, now: datetime, why: str) -> int:
    """Note a run that should have been at `due_at` and was not, such as while the machine was off: the row's number."""
    row: dict[str, Any] = {
        "job": job,
        "due_at": due_at,
        "began_at": now,
        "ended_at": now,
        "outcome": "missed",
        "why": clean(why)[:2000],
        "counts": {},
    }
    return int(connection.execute(insert(tables.runs).values(**row)).inserted_primary_key[0])  # type: ignore[index]


def close_orphans(connection: Connection, *, now: datetime, why: str = "the process that ran it is gone") -> int:
    """End every run that is still marked running, where a starting daemon finds them: how many were killed."""
    table = tables.runs
    return connection.execute(update(table).where(table.c.outcome == "running").values(outcome="killed", why=why, ended_at=now)).rowcount


def last_success(connection: Connection, *, job: str) -> datetime | None:
    """When `job` last ended well; None where it never did."""
    table = tables.runs
    where = (table.c.job == job, table.c.outcome == "ok")
    return connection.execute(select(table.c.ended_at).where(*where).order_by(table.c.began_at.desc()).limit(1)).scalar()


def last_runs(connection: Connection, *, limit: int = 50, job: str | None = None) -> Sequence[RowMapping]:
    """The newest runs first."""
    table = tables.runs
    query = select(table).order_by(table.c.began_at.desc(), table.c.id.desc()).limit(limit)
    return connection.execute(query.where(table.c.job == job) if job else query).mappings().all()


def hours(connection: Connection, *, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """The patrol log's raw rows, one an hour, gaps included: {"hour", "jobs": {job: {outcome: runs}}}, oldest first."""
    table = tables.runs
    query = select(table.c.job, table.c.outcome, table.c.began_at).where(table.c.began_at >= hour_of(since), table.c.began_at < until)
    result, moment = [], hour_of(since)
    by_hour: dict[datetime, dict[str, dict[str, int]]] = {}
    while moment < until:
        by_hour[moment] = {}
        result.append({"hour": moment, "jobs": by_hour[moment]})
        moment += timedelta(hours=1)
    for job, outcome, began_at in connection.execute(query):
        outcomes = by_hour[hour_of(began_at)].setdefault(job, {})
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    return result
