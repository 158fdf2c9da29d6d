"""What the console reads of outgoing papers and of the patrol: notices, leads, deliveries, the hours of the last day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, select

from store.tables import alarms, deliveries, hits, lead_hits, leads, notices, postings, runs, sweeps


def notice_list(conn: Connection, *, state: str | None = None, limit: int = 200) -> Sequence[Any]:
    """Notices, newest first, with the hit's title, grade and platform."""
    query = (
        select(notices, postings.c.title, postings.c.platform, hits.c.grade, hits.c.level)
        .select_from(notices.join(hits, hits.c.id == notices.c.hit_id).join(postings, postings.c.id == hits.c.posting_id))
        .order_by(notices.c.id.desc())
        .limit(limit)
    )
    return conn.execute(query.where(notices.c.state == state) if state else query).all()


def lead_list(conn: Connection, *, state: str | None = None, limit: int = 200) -> Sequence[Any]:
    """Leads, newest first, with `hits`: how many each gathers."""
    count = select(func.count()).where(lead_hits.c.lead_id == leads.c.id).correlate(leads).scalar_subquery().label("hits")
    query = select(leads, count).order_by(leads.c.id.desc()).limit(limit)
    return conn.execute(query.where(leads.c.state == state) if state else query).all()


def notice(conn: Connection, notice_id: int) -> Any | None:
    return conn.execute(select(notices).where(notices.c.id == notice_id)).one_or_none()


def lead(conn: Connection, lead_id: int) -> Any | None:
    return conn.execute(select(leads).where(leads.c.id == lead_id)).one_or_none()


def lead_members(conn: Connection, lead_id: int) -> Sequence[Any]:
    """The hits that a lead gathers: id, state, grade, title, platform, url."""
    return conn.execute(
        select(hits.c.id, hits.c.state, hits.c.grade, hits.c.level, hits.c.score, postings.c.title, postings.c.platform, postings.c.url)
        .select_from(lead_hits.join(hits, hits.c.id == lead_hits.c.hit_id).join(postings, postings.c.id == hits.c.posting_id))
        .where(lead_hits.c.lead_id == lead_id)
        .order_by(hits.c.id)
    ).all()


def papers_of(conn: Connection, hit_id: int) -> tuple[Sequence[Any], Sequence[Any]]:
    """(notices, leads) that rest on this hit, oldest first."""
    letters = conn.execute(
        select(notices.c.id, notices.c.number, notices.c.state).where(notices.c.hit_id == hit_id).order_by(notices.c.id)
    ).all()
    bound = (
        select(leads.c.id, leads.c.number, leads.c.state, leads.c.kind)
        .select_from(lead_hits.join(leads, leads.c.id == lead_hits.c.lead_id))
        .where(lead_hits.c.hit_id == hit_id)
        .order_by(leads.c.id)
    )
    return letters, conn.execute(bound).all()


def deliveries_of(conn: Connection, subject: str, subject_id: int) -> Sequence[Any]:
    """Every chain of attempts of one notice or lead, oldest first."""
    chosen = select(deliveries).where(deliveries.c.subject == subject, deliveries.c.subject_id == subject_id)
    return conn.execute(chosen.order_by(deliveries.c.id)).all()


def todo(conn: Connection) -> dict[str, int]:
    """Papers that wait for a person: `notices` to approve, `leads` to second, submit or approve."""
    waiting_notices = conn.execute(
        select(func.count()).select_from(notices).where(notices.c.state.in_(("draft", "appealed", "failed")))
    ).scalar_one()
    waiting_leads = conn.execute(
        select(func.count()).select_from(leads).where(leads.c.state.in_(("draft", "submitted", "declined")))
    ).scalar_one()
    return {"notices": waiting_notices, "leads": waiting_leads}


def sweeps_since(conn: Connection, *, since: datetime) -> Sequence[Any]:
    """Patrol sweeps that began since then, oldest first: platform, began_at, ended_at, outcome, why, counts."""
    columns = (sweeps.c.id, sweeps.c.platform, sweeps.c.began_at, sweeps.c.ended_at, sweeps.c.outcome, sweeps.c.why, sweeps.c.counts)
    return conn.execute(select(*columns).where(sweeps.c.began_at >= since, sweeps.c.purpose == "patrol").order_by(sweeps.c.began_at)).all()


def platform_facts(conn: Connection) -> Sequence[Any]:
    """Every platform that was ever patrolled: `platform`, `first_at`, `last_at`, and `ok_at` (its last success; None where none)."""
    patrol = sweeps.c.purpose == "patrol"
    good = (
        select(sweeps.c.platform, func.max(sweeps.c.began_at).label("ok_at"))
        .where(patrol, sweeps.c.outcome == "ok")
        .group_by(sweeps.c.platform)
        .subquery()
    )
    every = (
        select(sweeps.c.platform, func.min(sweeps.c.began_at).label("first_at"), func.max(sweeps.c.began_at).label("last_at"))
        .where(patrol)
        .group_by(sweeps.c.platform)
        .subquery()
    )
    return conn.execute(
        select(every.c.platform, every.c.first_at, every.c.last_at, good.c.ok_at)
        .select_from(every.outerjoin(good, good.c.platform == every.c.platform))
        .order_by(every.c.platform)
    ).all()


def job_facts(conn: Connection, *, since: datetime) -> Sequence[Any]:
    """Jobs other than sweeps since then: `job`, `runs`, `failed`, `last_at`, sorted by name."""
    failed = func.sum(case((runs.c.outcome.in_(("failed", "killed", "missed")), 1), else_=0)).label("failed")
    query = select(runs.c.job, func.count().label("runs"), failed, func.max(runs.c.began_at).label("last_at"))
    return conn.execute(
        query.where(runs.c.began_at >= since, runs.c.job.not_like("sweep:%")).group_by(runs.c.job).order_by(runs.c.job)
    ).all()


def missed_sweeps(conn: Connection, *, since: datetime) -> Sequence[Any]:
    """Sweeps that were due and did not run: `job` (sweep:<platform>), `began_at` (when it was noticed), `due_at`, `why`."""
    query = select(runs.c.job, runs.c.began_at, runs.c.due_at, runs.c.why).where(runs.c.began_at >= since, runs.c.job.like("sweep:%"))
    return conn.execute(query.where(runs.c.outcome == "missed").order_by(runs.c.began_at)).all()


def pulse(conn: Connection) -> tuple[int, datetime | None]:
    """(open alarms, last successful patrol sweep): the one line that tells whether the patrol lives."""
    open_alarms = conn.execute(select(func.count()).select_from(alarms).where(alarms.c.cleared_at.is_(None))).scalar_one()
    last = conn.execute(select(func.max(sweeps.c.began_at)).where(sweeps.c.purpose == "patrol", sweeps.c.outcome == "ok")).scalar()
    return open_alarms, last


def alarms_open(conn: Connection, *, limit: int = 200) -> Sequence[Any]:
    """Alarms that nobody cleared, newest first: kind, subject, text, opened_at, last_at, times."""
    return conn.execute(
        select(alarms).where(alarms.c.cleared_at.is_(None)).order_by(alarms.c.last_at.desc(), alarms.c.id.desc()).limit(limit)
    ).all()


def overdue(conn: Connection, *, now: datetime) -> dict[str, int]:
    """How many papers are past a clock: notices unanswered, leads undecided, leads approved but not sent, leads without feedback."""

    def count(table: Any, column: Any, *states: str) -> int:
        return conn.execute(select(func.count()).select_from(table).where(table.c.state.in_(states), column < now)).scalar_one()

    return {
        "预警提示函答复": count(notices, notices.c.answer_by, "sent"),
        "线索审批": count(leads, leads.c.decide_by, "submitted"),
        "线索移交": count(leads, leads.c.refer_by, "approved"),
        "线索反馈": count(leads, leads.c.feedback_by, "referred", "received", "verifying"),
    }
