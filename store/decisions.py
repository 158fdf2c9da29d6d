"""Rows of decisions (复核决定) and the claims on hits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from domain.clock import CLOCK_SLACK
from domain.errors import StoreFault
from store.shelves import mended
from store.tables import assessments, decisions, hits, lead_hits, leads, notices

NOTICE_RESTS = ("draft", "approved", "queued", "sent", "acknowledged", "appealed", "failed", "persists")
LEAD_RESTS = ("draft", "submitted", "approved", "referred", "received", "verifying", "filed", "returned", "elsewhere", "administrative")
"""States in which a notice or a lead stands on its hits' decisions."""


def hit(conn: Connection, hit_id: int) -> Row[Any]:
    """The hit with `ruleset` and `model` of its assessment. Raises StoreFault where there is none."""
    query = select(hits, assessments.c.ruleset, assessments.c.model).join(assessments, assessments.c.id == hits.c.assessment_id)
    row = conn.execute(query.where(hits.c.id == hit_id)).one_or_none()
    if row is None:
        raise StoreFault(f"hit:{hit_id}: no such row; list them first")
    return row


def hold(conn: Connection, hit_id: int, *, claimed_by: str | None, claimed_until: datetime | None) -> None:
    """Set or end a claim where the state stays as it is."""
    conn.execute(update(hits).where(hits.c.id == hit_id).values(claimed_by=claimed_by, claimed_until=claimed_until))


def lapsed(conn: Connection, now: datetime, *, claim_min: float) -> Sequence[Row[Any]]:
    """Claimed hits whose time is over, and those claimed for longer than any claim lasts: the clock was set back since."""
    over = or_(hits.c.claimed_until <= now, hits.c.claimed_until > now + timedelta(minutes=claim_min) + CLOCK_SLACK)
    return conn.execute(select(hits).where(hits.c.state.in_(("claimed", "seconding")), over).order_by(hits.c.id)).all()


def record(conn: Connection, hit_id: int, **columns: Any) -> None:
    """Keep one decision: officer, outcome, reason, at, ruleset, model."""
    conn.execute(insert(decisions).values(hit_id=hit_id, **mended(columns)))


def reverse(conn: Connection, hit_id: int, *, by: str) -> None:
    """Mark the decisions in force as taken back; they stay in the record."""
    conn.execute(update(decisions).where(decisions.c.hit_id == hit_id, decisions.c.reversed_by.is_(None)).values(reversed_by=by))


def of_hit(conn: Connection, hit_id: int) -> Sequence[Row[Any]]:
    """Every decision on it, reversed ones too, oldest first."""
    return conn.execute(select(decisions).where(decisions.c.hit_id == hit_id).order_by(decisions.c.id)).all()


def resting(conn: Connection, hit_id: int) -> list[str]:
    """What stands on its decisions: `notice:3`, `lead:1`."""
    letters = conn.execute(select(notices.c.id).where(notices.c.hit_id == hit_id, notices.c.state.in_(NOTICE_RESTS))).scalars()
    gathered = select(leads.c.id).join(lead_hits, lead_hits.c.lead_id == leads.c.id)
    bound = conn.execute(gathered.where(lead_hits.c.hit_id == hit_id, leads.c.state.in_(LEAD_RESTS))).scalars()
    return [*(f"notice:{number}" for number in letters), *(f"lead:{number}" for number in bound)]
