"""One attempt to deliver, in one worker's hands: leases, so that a crash neither loses nor doubles a paper.

A delivery's outcome moves its paper in the transaction that notes it. `lease` asks again whether a person approved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from domain.clock import CLOCK_SLACK
from domain.errors import LeaseLost, NotPermitted, StoreFault
from store import alarms
from store.engine import Store
from store.moves import move, writing
from store.tables import deliveries, leads, notices

BACKOFF_MOST_S = 3600.0
"""No wait between attempts is longer, unless the receiver asks for more."""
RETRY_AFTER_MOST_S = 86_400.0
"""A receiver that asks for more than a day is not believed."""
LIVE = {"notice": ("queued",), "withdrawal": ("withdrawn",), "lead": ("approved",)}
"""In which state of its paper a delivery may be sent."""
MACHINE = "machine:dispatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """One delivery in one worker's hands until `until`; (worker, until) is the fence against those who come too late."""

    id: int
    subject: str
    subject_id: int
    channel: str
    address: str
    key: str
    attempts: int
    """This one included."""
    worker: str
    until: datetime


def require_approved(conn: Connection, subject: str, subject_id: int) -> None:
    """Raises NotPermitted unless another officer than those who prepared the paper approved it, and its state lets it go out."""
    if subject == "lead":
        row = conn.execute(select(leads).where(leads.c.id == subject_id)).one_or_none()
        preparers = {row.prepared_by, row.second_preparer} if row else set()
        enough = len(preparers - {None}) == 2
    elif subject in LIVE:
        row = conn.execute(select(notices).where(notices.c.id == subject_id)).one_or_none()
        preparers, enough = ({row.drafted_by} if row else set()), True
    else:
        raise StoreFault(f"outbox: {subject!r} is no paper; use notice, withdrawal or lead")
    where = f"{subject}:{subject_id}"
    if row is None:
        raise StoreFault(f"{where}: no such row; list them first")
    if row.approved_by is None or row.approved_by in preparers or not enough:
        raise NotPermitted(f"{where}: not approved by another officer; nothing leaves without that")
    if row.state not in LIVE[subject]:
        raise NotPermitted(f"{where}: is {row.state}; only {' or '.join(LIVE[subject])} papers are sent")


def lapse(conn: Connection, *, now: datetime, lease_s: float) -> int:
    """Free what dead workers held, `lease_s` seconds at the most: how many.

    What may have reached its receiver becomes uncertain, with an alarm.
    """
    over = or_(deliveries.c.leased_until < now, deliveries.c.leased_until > now + timedelta(seconds=lease_s) + CLOCK_SLACK)
    rows = conn.execute(select(deliveries).where(deliveries.c.state == "sending", over).order_by(deliveries.c.id)).all()
    for row in rows:
        if row.handed_at is None:
            move(conn, "delivery", row.id, "lapse", actor=MACHINE, at=now, leased_by=None, leased_until=None)
        else:
            _doubt(conn, row.id, why="the process ended while the receiver was taking it", now=now)
    return len(rows)


def lease(store: Store, *, worker: str, now: datetime, limit: int = 1, but: Sequence[int] = ()) -> list[Leased]:
    """Up to `limit` due deliveries, longest due first, for settings.lease_s; `but` are left alone. Lapsed ones are freed before."""
    until = now + timedelta(seconds=store.settings.lease_s)
    taken = []
    with writing(store) as conn:
        lapse(conn, now=now, lease_s=store.settings.lease_s)
        # No attempt is ever put off for longer than `never`: one that seems to be was put off under a clock since set back.
        never = now + timedelta(seconds=RETRY_AFTER_MOST_S) + CLOCK_SLACK
        come = or_(deliveries.c.next_at <= now, deliveries.c.next_at > never)
        due = select(deliveries).where(deliveries.c.state == "due", come, deliveries.c.id.not_in(but))
        rows = conn.execute(due.order_by(deliveries.c.next_at, deliveries.c.id).limit(limit).with_for_update(skip_locked=True)).all()
        for row in rows:
            held: dict[str, Any] = {"leased_by": worker, "leased_until": until, "handed_at": None, "attempts": row.attempts + 1}
            move(conn, "delivery", row.id, "lease", actor=MACHINE, at=now, **held)
            try:
                require_approved(conn, row.subject, row.subject_id)
            except (NotPermitted, StoreFault) as refusal:
                _die(conn, row, error=str(refusal), now=now)
                continue
            taken.append(
                Leased(
                    id=row.id, subject=row.subject, subject_id=row.subject_id, channel=row.channel, address=row.address,
                    key=row.idempotency_key, attempts=row.attempts + 1, worker=worker, until=until,
                )
            )  # fmt: skip
    return taken


def hand_over(store: Store, leased: Leased, *, now: datetime) -> None:
    """Note, durably, that the receiver is about to take it: from here on a crash leaves doubt, not a retry.

    Raises LeaseLost where somebody else holds it now; then nothing may be sent.
    """
    mine = (deliveries.c.id == leased.id, deliveries.c.state == "sending", deliveries.c.leased_by == leased.worker)
    with store.write() as conn:
        changed = conn.execute(update(deliveries).where(*mine, deliveries.c.leased_until == leased.until).values(handed_at=now))
        if changed.rowcount != 1:
            raise LeaseLost(f"delivery:{leased.id}: the lease went to somebody else; leave it")


def complete(store: Store, leased: Leased, *, receipt: dict[str, Any], now: datetime) -> bool:
    """Note the receipt and move the paper. False where another worker was first: the receiver knows both by one key."""
    with writing(store) as conn:
        state = conn.execute(select(deliveries.c.state).where(deliveries.c.id == leased.id)).scalar_one()
        if state in ("delivered", "cancelled"):
            return False
        if state == "dead":
            move(conn, "delivery", leased.id, "revive", actor=MACHINE, at=now)
            state = "due"
        if state == "due":  # it lapsed while the receiver was slow; the receipt is the proof
            move(conn, "delivery", leased.id, "lease", actor=MACHINE, at=now)
        deliver(conn, leased.id, store=store, receipt=receipt, actor=MACHINE, now=now)
        alarms.clear(conn, kind="channel", subject=leased.channel, by=MACHINE, now=now)
        return True


def retry(store: Store, leased: Leased, *, error: str, now: datetime, retry_after_s: float | None = None) -> str:
    """Another attempt later, or the end of them: the new state, `due` or `dead`. A lost lease changes nothing and gives `lost`."""
    with writing(store) as conn:
        row = _mine(conn, leased)
        if row is None:
            return "lost"
        if leased.attempts >= store.settings.delivery_attempts:
            _die(conn, row, error=error, now=now)
            return "dead"
        wait = min(store.settings.backoff_s * 2 ** (leased.attempts - 1), BACKOFF_MOST_S)
        wait = max(wait, min(retry_after_s or 0.0, RETRY_AFTER_MOST_S))
        later: dict[str, Any] = {"next_at": now + timedelta(seconds=wait), "leased_by": None, "leased_until": None, "handed_at": None}
        move(conn, "delivery", row.id, "retry", actor=MACHINE, at=now, last_error=error[:2000], **later)
        alarms.raise_alarm(conn, kind="channel", subject=leased.channel, text=f"通道 {leased.channel} 暂时送不出：{error[:300]}", now=now)
        return "due"


def die(store: Store, leased: Leased, *, error: str, now: datetime) -> str:
    """No further attempt would help: a dead letter, with an alarm. `lost` where the lease is somebody else's."""
    with writing(store) as conn:
        row = _mine(conn, leased)
        if row is None:
            return "lost"
        _die(conn, row, error=error, now=now)
        return "dead"


def doubt(store: Store, leased: Leased, *, error: str, now: datetime) -> str:
    """The receiver may have taken it: uncertain, with an alarm, until a person settles it."""
    with writing(store) as conn:
        if _mine(conn, leased) is None:
            return "lost"
        _doubt(conn, leased.id, why=error, now=now)
        return "uncertain"


def stumble(store: Store, leased: Leased, *, error: str, now: datetime) -> str:
    """A channel broke in a way of its own: in doubt where it had begun to hand over, else another attempt later."""
    with store.read() as conn:
        handed = conn.execute(select(deliveries.c.handed_at).where(deliveries.c.id == leased.id)).scalar_one()
    if handed is not None:
        return doubt(store, leased, error=error, now=now)
    return retry(store, leased, error=error, now=now)


def _mine(conn: Connection, leased: Leased) -> Row[Any] | None:
    row = conn.execute(select(deliveries).where(deliveries.c.id == leased.id)).one()
    return row if (row.state, row.leased_by, row.leased_until) == ("sending", leased.worker, leased.until) else None


def deliver(conn: Connection, delivery_id: int, *, store: Store, receipt: dict[str, Any], actor: str, now: datetime) -> None:
    """Note a delivery's receipt and move its paper, in the caller's transaction."""
    done: dict[str, Any] = {"receipt": receipt, "delivered_at": now, "leased_by": None, "leased_until": None, "last_error": ""}
    move(conn, "delivery", delivery_id, "deliver", actor=actor, at=now, **done)
    row = conn.execute(select(deliveries).where(deliveries.c.id == delivery_id)).one()
    alarms.clear(conn, kind="delivery_uncertain", subject=f"delivery:{delivery_id}", by=actor, now=now)
    if row.subject == "notice":
        if conn.execute(select(notices.c.state).where(notices.c.id == row.subject_id)).scalar_one() == "failed":
            move(conn, "notice", row.subject_id, "requeue", actor=actor, at=now)  # the receipt came after we had given up
        answer_by = now + timedelta(days=store.settings.appeal_days)
        recheck_at = now + timedelta(hours=store.settings.recheck_hours)
        move(conn, "notice", row.subject_id, "deliver", actor=actor, at=now, sent_at=now, answer_by=answer_by, recheck_at=recheck_at)
    elif row.subject == "lead":
        move(conn, "lead", row.subject_id, "refer", actor=actor, at=now, referred_at=now)
        if receipt.get("number"):
            note_receipt(conn, row.subject_id, number=str(receipt["number"]), store=store, actor=actor, now=now)


def note_receipt(conn: Connection, lead_id: int, *, number: str, store: Store, actor: str, now: datetime) -> None:
    """The receiver signed for a lead (回执): from here its feedback is awaited, settings.feedback_days long."""
    by = now + timedelta(days=store.settings.feedback_days)
    move(conn, "lead", lead_id, "receipt", actor=actor, at=now, receipt=number, received_at=now, feedback_by=by)


def _die(conn: Connection, row: Row[Any], *, error: str, now: datetime) -> None:
    move(conn, "delivery", row.id, "die", actor=MACHINE, at=now, last_error=error[:2000], leased_by=None, leased_until=None)
    state = conn.execute(select(notices.c.state).where(notices.c.id == row.subject_id)).scalar() if row.subject == "notice" else None
    if state == "queued":
        move(conn, "notice", row.subject_id, "fail", actor=MACHINE, at=now)
    text = f"{row.subject}:{row.subject_id} 经 {row.channel} 无法送达：{error[:300]}"
    alarms.raise_alarm(conn, kind="dead_letter", subject=f"delivery:{row.id}", text=text, now=now)


def _doubt(conn: Connection, delivery_id: int, *, why: str, now: datetime) -> None:
    move(conn, "delivery", delivery_id, "doubt", actor=MACHINE, at=now, last_error=why[:2000], leased_by=None, leased_until=None)
    text = f"不能确定对方是否已收到（{why[:200]}），请向收件方核实后选择“已送达”或“重新发送”"
    alarms.raise_alarm(conn, kind="delivery_uncertain", subject=f"delivery:{delivery_id}", text=text, now=now)
