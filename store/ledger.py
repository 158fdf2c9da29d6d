"""The ledger (台账): what each hour brought, and what stands between two stages where nobody would look for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Text, and_, cast, exists, func, or_, select

from store.tables import (
    alarms,
    assessments,
    captures,
    decisions,
    deliveries,
    hits,
    lead_hits,
    leads,
    notices,
    postings,
    runs,
    sweeps,
)  # fmt: skip

COUNTED = {
    "captures": captures.c.fetched_at,
    "postings": postings.c.first_seen_at,
    "assessments": assessments.c.at,
    "hits": hits.c.opened_at,
    "decisions": decisions.c.at,
    "notices_sent": notices.c.sent_at,
    "notices_down": notices.c.down_at,
    "leads_referred": leads.c.referred_at,
    "receipts": leads.c.received_at,
    "deliveries": deliveries.c.delivered_at,
    "alarms": alarms.c.opened_at,
}
"""Name in the patrol log -> the moment that puts a row into its hour."""


def counts_between(conn: Connection, *, since: datetime, until: datetime) -> dict[str, int]:
    """How many of each thing happened in the half-open span."""
    return {
        name: conn.execute(select(func.count()).where(moment >= since, moment < until)).scalar_one() for name, moment in COUNTED.items()
    }


def sweeps_between(conn: Connection, *, since: datetime, until: datetime) -> Sequence[Row[Any]]:
    """Patrol sweeps that began in the half-open span, oldest first."""
    mine = (sweeps.c.began_at >= since, sweeps.c.began_at < until, sweeps.c.purpose == "patrol")
    return conn.execute(select(sweeps).where(*mine).order_by(sweeps.c.began_at, sweeps.c.id)).all()


def missed_between(conn: Connection, *, since: datetime, until: datetime) -> Sequence[Row[Any]]:
    """Runs that were due and did not happen, noticed in the half-open span."""
    mine = (runs.c.began_at >= since, runs.c.began_at < until, runs.c.outcome.in_(("missed", "skipped")))
    return conn.execute(select(runs).where(*mine).order_by(runs.c.began_at, runs.c.id)).all()


def last_successes(conn: Connection, *, before: datetime) -> dict[str, datetime | None]:
    """Every platform that was patrolled before that moment, with the end of its last good sweep."""
    known = conn.execute(select(sweeps.c.platform).where(sweeps.c.purpose == "patrol", sweeps.c.began_at < before).distinct()).scalars()
    good = (sweeps.c.purpose == "patrol", sweeps.c.outcome == "ok", sweeps.c.ended_at < before)
    ends = select(sweeps.c.platform, func.max(sweeps.c.ended_at).label("at")).where(*good).group_by(sweeps.c.platform)
    found = {row.platform: row.at for row in conn.execute(ends)}
    return {platform: found.get(platform) for platform in sorted(known)}


def _ids(conn: Connection, column: ColumnElement[Any], *conditions: ColumnElement[bool]) -> list[int]:
    return [int(number) for number in conn.execute(select(column).where(*conditions).order_by(column)).scalars()]


def _sendable(subject: str, paper: ColumnElement[int]) -> ColumnElement[bool]:
    """A delivery of this paper is on its way, or waits for a person."""
    live = deliveries.c.state.in_(("due", "sending", "uncertain", "dead"))
    return exists().where(deliveries.c.subject == subject, deliveries.c.subject_id == paper, live)


def captures_without_bytes(conn: Connection, *, archive: Path) -> list[int]:
    """Captures whose bytes should be in the archive and are not. Ordinary pages that retention dropped are no loss."""
    of_hits = select(postings.c.first_capture_id).join(hits, hits.c.posting_id == postings.c.id)
    bare = set(_ids(conn, captures.c.id, captures.c.warc.is_(None), captures.c.id.in_(of_hits)))
    end = func.max(captures.c.warc_offset + captures.c.warc_length)
    for warc, needed in conn.execute(select(captures.c.warc, end).where(captures.c.warc.is_not(None)).group_by(captures.c.warc)).all():
        path = archive / warc
        size = path.stat().st_size if path.is_file() else 0
        if size < needed:
            bare |= set(_ids(conn, captures.c.id, captures.c.warc == warc, captures.c.warc_offset + captures.c.warc_length > size))
    return sorted(bare)


def postings_unjudged(conn: Connection, *, now: datetime, lease: timedelta, grace: timedelta) -> list[int]:
    """Left by a worker for longer than a lease, or waiting for longer than `grace`."""
    left = and_(postings.c.leased_until.is_not(None), postings.c.leased_until < now - lease)
    waiting = and_(postings.c.leased_until.is_(None), postings.c.first_seen_at < now - grace)
    return _ids(conn, postings.c.id, postings.c.assessed_at.is_(None), or_(left, waiting))


def suspected_without_hit(conn: Connection) -> list[int]:
    """Postings that were judged review or alert and have no hit."""
    suspected = select(assessments.c.posting_id).where(assessments.c.level.in_(("review", "alert")))
    return _ids(conn, postings.c.id, postings.c.id.in_(suspected), ~exists().where(hits.c.posting_id == postings.c.id))


def confirmed_without_action(conn: Connection, *, before: datetime) -> list[int]:
    """Hits confirmed before that moment with no notice, no lead and no closing."""
    acted = or_(exists().where(notices.c.hit_id == hits.c.id), exists().where(lead_hits.c.hit_id == hits.c.id))
    lately = exists().where(decisions.c.hit_id == hits.c.id, decisions.c.at >= before)
    return _ids(conn, hits.c.id, hits.c.state == "confirmed", ~acted, ~lately)


def claims_stuck(conn: Connection, *, before: datetime) -> list[int]:
    """Hits whose claim ended before that moment and that nobody gave back to the queue."""
    return _ids(conn, hits.c.id, hits.c.state.in_(("claimed", "seconding")), hits.c.claimed_until < before)


def notices_unsent(conn: Connection) -> list[int]:
    """Signed notices that no delivery carries."""
    stuck = and_(notices.c.state.in_(("queued", "failed")), ~_sendable("notice", notices.c.id))
    return _ids(conn, notices.c.id, or_(notices.c.state == "approved", stuck))


def notices_unwatched(conn: Connection) -> list[int]:
    """Sent notices that no recheck will look at again."""
    return _ids(conn, notices.c.id, notices.c.state.in_(("sent", "acknowledged", "persists")), notices.c.recheck_at.is_(None))


def leads_unsent(conn: Connection) -> list[int]:
    """Approved leads that no delivery carries."""
    return _ids(conn, leads.c.id, leads.c.state == "approved", ~_sendable("lead", leads.c.id))


def leads_without_receipt(conn: Connection) -> list[int]:
    """Leads that went through a channel that always gives a receipt, and have none."""
    return _ids(conn, leads.c.id, leads.c.state == "referred", leads.c.channel == "police")


def leads_returned(conn: Connection) -> list[int]:
    """Leads that the police returned and that did not go on to administrative handling."""
    return _ids(conn, leads.c.id, leads.c.state == "returned")


def deliveries_without_receipt(conn: Connection) -> list[int]:
    """Delivered, and nothing on record that proves it."""
    # A JSON column can hold SQL's NULL and JSON's null.
    unproved = or_(deliveries.c.receipt.is_(None), cast(deliveries.c.receipt, Text) == "null", deliveries.c.delivered_at.is_(None))
    return _ids(conn, deliveries.c.id, deliveries.c.state == "delivered", unproved)


def deliveries_stuck(conn: Connection, *, before: datetime) -> list[int]:
    """In a dead worker's hands since before that moment: no dispatch has run that would have freed them."""
    return _ids(conn, deliveries.c.id, deliveries.c.state == "sending", deliveries.c.leased_until < before)


def sweeps_unended(conn: Connection, *, before: datetime) -> list[int]:
    """Running since before that moment: nobody noted their end."""
    return _ids(conn, sweeps.c.id, sweeps.c.outcome == "running", sweeps.c.began_at < before)
