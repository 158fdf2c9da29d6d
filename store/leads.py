"""Rows of leads (线索) and the hits that each gathers. Their states are moved by `store.moves` alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, RowMapping, and_, insert, or_, select, update

from domain.errors import StoreFault
from store import audit
from store.shelves import mended
from store.tables import assessments, captures, decisions, hits, lead_hits, leads, postings
from store.tables import audit as audit_table

ENDED = ("closed", "declined")


def create(conn: Connection, *, hit_ids: Sequence[int], officer: str, at: datetime, **columns: Any) -> int:
    """A draft that gathers `hit_ids`. Raises StoreFault where one of them already belongs to a lead in force."""
    taken = conn.execute(
        select(lead_hits.c.hit_id, leads.c.id).join(leads, leads.c.id == lead_hits.c.lead_id)
        .where(lead_hits.c.hit_id.in_(hit_ids), leads.c.state.not_in(ENDED)).limit(1)
    ).first()  # fmt: skip
    if taken is not None:
        raise StoreFault(f"hit:{taken.hit_id}: lead:{taken.id} gathers it already; add to that one, or decline it first")
    made = conn.execute(insert(leads).values(prepared_by=officer, opened_at=at, state="draft", **mended(columns))).inserted_primary_key
    assert made is not None
    conn.execute(insert(lead_hits), [{"lead_id": made[0], "hit_id": hit_id} for hit_id in hit_ids])
    audit.append(conn, actor=officer, action="lead.draft", subject=f"lead:{made[0]}", at=at, detail={"hits": list(hit_ids)})
    return int(made[0])


def lead(conn: Connection, lead_id: int) -> Row[Any]:
    """The row. Raises StoreFault where there is none."""
    row = conn.execute(select(leads).where(leads.c.id == lead_id)).one_or_none()
    if row is None:
        raise StoreFault(f"lead:{lead_id}: no such row; list them first")
    return row


def all_leads(conn: Connection, *, limit: int = 1000) -> Sequence[RowMapping]:
    """The newest first."""
    return conn.execute(select(leads).order_by(leads.c.id.desc()).limit(limit)).mappings().all()


def put(conn: Connection, lead_id: int, **columns: Any) -> None:
    """Set columns that are no state."""
    assert "state" not in columns
    conn.execute(update(leads).where(leads.c.id == lead_id).values(**mended(columns)))


def note(conn: Connection, lead_id: int, *, actor: str, action: str, at: datetime) -> None:
    """An audit row for what moves no state."""
    audit.append(conn, actor=actor, action=action, subject=f"lead:{lead_id}", at=at)


def hit_ids(conn: Connection, lead_id: int) -> list[int]:
    return list(conn.execute(select(lead_hits.c.hit_id).where(lead_hits.c.lead_id == lead_id).order_by(lead_hits.c.hit_id)).scalars())


def whole_hit(conn: Connection, hit_id: int) -> Row[Any]:
    """One hit with its posting, its assessment and the capture that it was judged on.

    Columns that share a name carry a prefix: `assessed_at`, `capture_id`, `capture_url`, `hit_state`. Raises StoreFault where
    there is none.
    """
    own = (
        hits.c.id, hits.c.state.label("hit_state"), hits.c.level, hits.c.grade, hits.c.score, hits.c.opened_at, hits.c.claimed_by,
        hits.c.claimed_until, hits.c.posting_id,
    )  # fmt: skip
    judged = tuple(column for column in assessments.c if column.name not in ("id", "at", "posting_id", "level", "grade", "score"))
    shown = tuple(column for column in postings.c if column.name not in ("id", "leased_by", "leased_until", "assessed_at", "read_at"))
    seen = (
        captures.c.id.label("capture_id"), captures.c.url.label("capture_url"), captures.c.final_url, captures.c.fetched_at,
        captures.c.status, captures.c.sha256, captures.c.size, captures.c.via, captures.c.screenshot_sha256,
    )  # fmt: skip
    row = conn.execute(
        select(*own, *shown, assessments.c.at.label("assessed_at"), *judged, *seen)
        .join(postings, postings.c.id == hits.c.posting_id)
        .join(assessments, assessments.c.id == hits.c.assessment_id)
        .join(captures, captures.c.id == postings.c.first_capture_id)
        .where(hits.c.id == hit_id)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise StoreFault(f"hit:{hit_id}: no such row; list them first")
    return cast("Row[Any]", row)


def captures_of_hit(conn: Connection, hit_id: int) -> Sequence[Row[Any]]:
    """The captures that show it: the first and the last one that held its posting."""
    chosen = select(postings.c.first_capture_id, postings.c.last_capture_id).join(hits, hits.c.posting_id == postings.c.id)
    row = conn.execute(chosen.where(hits.c.id == hit_id)).one()
    return conn.execute(select(captures).where(captures.c.id.in_({row[0], row[1]})).order_by(captures.c.id)).all()


def decisions_of(conn: Connection, hit_id: int) -> Sequence[Row[Any]]:
    """Every decision on it, reversed ones too, oldest first."""
    return conn.execute(select(decisions).where(decisions.c.hit_id == hit_id).order_by(decisions.c.id)).all()


def history(conn: Connection, subjects: Sequence[str]) -> Sequence[Row[Any]]:
    """The audit rows about these subjects (`hit:3`), in the chain's order."""
    return conn.execute(select(audit_table).where(audit_table.c.subject.in_(subjects)).order_by(audit_table.c.seq)).all()


def awaiting_feedback(conn: Connection, *, channel: str) -> Sequence[Row[Any]]:
    """Leads that a receiver has and has not settled, longest first."""
    wanted = and_(leads.c.state.in_(("received", "verifying")), leads.c.channel == channel, leads.c.receipt.is_not(None))
    return conn.execute(select(leads).where(wanted).order_by(leads.c.received_at, leads.c.id)).all()


def overdue(conn: Connection, now: datetime) -> Sequence[Row[Any]]:
    """Leads past one of their clocks: decision (3 days), hand-over (24 h), feedback (the office's own)."""
    return conn.execute(
        select(leads).where(
            or_(
                and_(leads.c.state == "submitted", leads.c.decide_by < now),
                and_(leads.c.state == "approved", leads.c.refer_by < now),
                and_(leads.c.state.in_(("received", "verifying")), leads.c.feedback_by < now),
            )
        ).order_by(leads.c.id)
    ).all()  # fmt: skip
