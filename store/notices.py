"""Rows of warnings (预警提示函). Their states are moved by `store.moves` alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, RowMapping, and_, insert, or_, select, update

from domain.errors import StoreFault
from store import audit
from store.shelves import mended
from store.tables import assessments, captures, hits, notices, postings, sweeps

ENDED = ("withdrawn", "rectified", "escalated")
"""States after which another notice about the same hit may be drafted."""
RECHECKED = ("sent", "acknowledged", "persists", "rectified")
"""States in which the page is looked at again; an appealed one waits for a person."""


def create(
    conn: Connection, *, hit_id: int, addressee: str, channel: str, address: str, url: str, officer: str, body: dict[str, Any], at: datetime
) -> int:
    """A draft. Raises StoreFault where another notice about this hit is still on its way or in force."""
    other = conn.execute(select(notices.c.id).where(notices.c.hit_id == hit_id, notices.c.state.not_in(ENDED)).limit(1)).scalar()
    if other is not None:
        raise StoreFault(f"hit:{hit_id}: notice:{other} about it is in force; withdraw that one, or remind by it")
    values = {
        "hit_id": hit_id, "addressee": addressee, "channel": channel, "address": address, "url": url, "drafted_by": officer,
        "drafted_at": at, "body": body, "state": "draft",
    }  # fmt: skip
    made = conn.execute(insert(notices).values(**mended(values))).inserted_primary_key
    assert made is not None
    audit.append(conn, actor=officer, action="notice.draft", subject=f"notice:{made[0]}", at=at, detail={"hit": hit_id, "channel": channel})
    return int(made[0])


def notice(conn: Connection, notice_id: int) -> Row[Any]:
    """The row. Raises StoreFault where there is none."""
    row = conn.execute(select(notices).where(notices.c.id == notice_id)).one_or_none()
    if row is None:
        raise StoreFault(f"notice:{notice_id}: no such row; list them first")
    return row


def all_notices(conn: Connection, *, limit: int = 1000) -> Sequence[RowMapping]:
    """The newest first."""
    return conn.execute(select(notices).order_by(notices.c.id.desc()).limit(limit)).mappings().all()


def put(conn: Connection, notice_id: int, **columns: Any) -> None:
    """Set columns that are no state."""
    assert "state" not in columns
    conn.execute(update(notices).where(notices.c.id == notice_id).values(**mended(columns)))


def due_for_recheck(conn: Connection, now: datetime) -> Sequence[Row[Any]]:
    """Notices whose page is to be looked at again, longest overdue first, with `platform` and `posting_id`."""
    return conn.execute(
        select(notices, postings.c.platform, postings.c.id.label("posting_id"))
        .join(hits, hits.c.id == notices.c.hit_id)
        .join(postings, postings.c.id == hits.c.posting_id)
        .where(
            or_(
                and_(notices.c.state.in_(RECHECKED), notices.c.recheck_at.is_not(None), notices.c.recheck_at <= now),
                # The patrol itself has seen it again since it was down: no need to wait for the date.
                and_(notices.c.state == "rectified", postings.c.last_seen_at > notices.c.down_at),
            )
        )
        .order_by(notices.c.recheck_at, notices.c.id)
    ).all()


def of_hits(conn: Connection, hit_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Every notice about these hits, oldest first."""
    return conn.execute(select(notices).where(notices.c.hit_id.in_(hit_ids)).order_by(notices.c.id)).all()


def captures_of_sweep(conn: Connection, *, sweep_id: int) -> Sequence[Row[Any]]:
    """What one sweep fetched, in its order."""
    return conn.execute(select(captures).where(captures.c.sweep_id == sweep_id).order_by(captures.c.id)).all()


def postings_seen(conn: Connection, *, url: str, capture_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The postings of this address that these captures show, each with `level` of its latest assessment (None where it waits)."""
    latest = (
        select(assessments.c.level).where(assessments.c.posting_id == postings.c.id).order_by(assessments.c.id.desc()).limit(1)
        .correlate(postings).scalar_subquery().label("level")
    )  # fmt: skip
    wanted = (postings.c.url == url, postings.c.last_capture_id.in_(capture_ids))
    chosen = select(postings.c.id, postings.c.assessed_at, latest).where(*wanted).order_by(postings.c.id)
    return cast("Sequence[Row[Any]]", conn.execute(chosen).all())


def posting_of(conn: Connection, hit_id: int) -> int:
    return int(conn.execute(select(hits.c.posting_id).where(hits.c.id == hit_id)).scalar_one())


def outcome_of_sweep(conn: Connection, sweep_id: int) -> str:
    return str(conn.execute(select(sweeps.c.outcome).where(sweeps.c.id == sweep_id)).scalar_one())
