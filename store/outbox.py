"""The outbox: what is to leave the house, in leases, so that a crash neither loses nor doubles it.

A delivery is queued in the transaction that moves its paper, and its outcome moves the paper in the transaction that notes it.
Only papers that a person approved get in (`queue`) and out (`lease` asks again).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, RowMapping, insert, select, update

from domain.errors import IllegalMove, LeaseLost, NotPermitted, StoreFault
from store import alarms, audit, powers
from store.engine import Store
from store.moves import move
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


@contextmanager
def writing(store: Store) -> Iterator[Connection]:
    """A write transaction that takes the audit chain's lock first: on PostgreSQL, row locks taken before it could cross with another's."""
    with store.write() as conn:
        audit.alone(conn)
        yield conn


def waiting(conn: Connection) -> Sequence[RowMapping]:
    """Every delivery that is not done: due, sending, uncertain and dead ones, oldest first."""
    open_states = ("due", "sending", "uncertain", "dead")
    return conn.execute(select(deliveries).where(deliveries.c.state.in_(open_states)).order_by(deliveries.c.id)).mappings().all()


def queue(conn: Connection, *, subject: str, subject_id: int, channel: str, address: str, key: str, at: datetime, actor: str) -> int:
    """Put one paper into the outbox, in the caller's transaction; the same key again gives the same row.

    Raises NotPermitted for a paper that nobody but its drafter approved, or that is in no state to be sent.
    """
    require_approved(conn, subject, subject_id)
    known = conn.execute(select(deliveries.c.id).where(deliveries.c.idempotency_key == key)).scalar_one_or_none()
    if known is not None:
        return int(known)
    made = conn.execute(
        insert(deliveries).values(
            subject=subject, subject_id=subject_id, channel=channel, address=address, idempotency_key=key, state="due", made_at=at, next_at=at
        )
    ).inserted_primary_key
    assert made is not None
    audit.append(conn, actor=actor, action="delivery.queue", subject=f"delivery:{made[0]}", at=at, detail={subject: subject_id, "channel": channel})
    return int(made[0])


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


def lapse(conn: Connection, *, now: datetime) -> int:
    """Free what dead workers held. What may have reached its receiver becomes uncertain, with an alarm; returns how many were freed."""
    rows = conn.execute(select(deliveries).where(deliveries.c.state == "sending", deliveries.c.leased_until < now).order_by(deliveries.c.id)).all()
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
        lapse(conn, now=now)
        due = select(deliveries).where(deliveries.c.state == "due", deliveries.c.next_at <= now, deliveries.c.id.not_in(but))
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
        _deliver(conn, leased.id, store=store, receipt=receipt, actor=MACHINE, now=now)
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


def decide(store: Store, delivery_id: int, *, how: Literal["delivered", "resend", "cancel"], officer: str, now: datetime) -> None:
    """A person says what becomes of an uncertain or a dead delivery.

    Raises NotPermitted without the role liaison or approver, IllegalMove where that cannot become of it.
    """
    with store.read() as conn:
        row = conn.execute(select(deliveries).where(deliveries.c.id == delivery_id)).one_or_none()
    if row is None:
        raise StoreFault(f"delivery:{delivery_id}: no such row; list them: wangxun outbox list")
    if how == "cancel":
        with writing(store) as conn:
            powers.require(conn, officer, "liaison", "approver")
            move(conn, "delivery", delivery_id, "cancel", actor=officer, at=now)
            for kind in ("dead_letter", "delivery_uncertain"):
                alarms.clear(conn, kind=kind, subject=f"delivery:{delivery_id}", by=officer, now=now)
            if row.subject == "notice" and row.state == "uncertain":
                move(conn, "notice", row.subject_id, "fail", actor=officer, at=now)
    elif how == "resend" and row.state == "dead":
        revive(store, delivery_id, officer=officer, now=now)
    else:
        settle(store, delivery_id, outcome=how, officer=officer, now=now)


def settle(store: Store, delivery_id: int, *, outcome: Literal["delivered", "resend"], officer: str, now: datetime) -> None:
    """A person, having asked the receiver, says what became of an uncertain delivery.

    Raises NotPermitted without the role liaison or approver, IllegalMove where it is not uncertain.
    """
    with writing(store) as conn:
        powers.require(conn, officer, "liaison", "approver")
        state = conn.execute(select(deliveries.c.state).where(deliveries.c.id == delivery_id)).scalar_one_or_none()
        if state != "uncertain":
            raise IllegalMove(machine="delivery", state=str(state), event="settle", allowed=())
        if outcome == "delivered":
            _deliver(conn, delivery_id, store=store, receipt={"settled_by": officer, "at": now.isoformat()}, actor=officer, now=now)
        else:
            fresh: dict[str, Any] = {"next_at": now, "leased_by": None, "leased_until": None, "handed_at": None}
            move(conn, "delivery", delivery_id, "revive", actor=officer, at=now, detail={"settled": "resend"}, **fresh)
        alarms.clear(conn, kind="delivery_uncertain", subject=f"delivery:{delivery_id}", by=officer, now=now)


def revive(store: Store, delivery_id: int, *, officer: str, now: datetime) -> None:
    """A person sends a dead letter on its way again, once its cause is mended.

    Raises NotPermitted without the role liaison or approver, IllegalMove where it is not dead.
    """
    with writing(store) as conn:
        powers.require(conn, officer, "liaison", "approver")
        row = conn.execute(select(deliveries).where(deliveries.c.id == delivery_id)).one_or_none()
        if row is None or row.state != "dead":
            raise IllegalMove(machine="delivery", state=row.state if row else "missing", event="revive", allowed=())
        move(conn, "delivery", delivery_id, "revive", actor=officer, at=now, attempts=0, next_at=now, handed_at=None)
        if row.subject == "notice" and conn.execute(select(notices.c.state).where(notices.c.id == row.subject_id)).scalar_one() == "failed":
            move(conn, "notice", row.subject_id, "requeue", actor=officer, at=now)
        alarms.clear(conn, kind="dead_letter", subject=f"delivery:{delivery_id}", by=officer, now=now)


def cancel_of(conn: Connection, *, subject: str, subject_id: int, officer: str, now: datetime) -> None:
    """Take a paper's unsent deliveries out of the outbox.

    Raises LeaseLost while one is being sent or is in doubt: then nobody can say that it was not sent.
    """
    mine = select(deliveries).where(deliveries.c.subject == subject, deliveries.c.subject_id == subject_id)
    for row in conn.execute(mine.order_by(deliveries.c.id)).all():
        if row.state in ("sending", "uncertain"):
            raise LeaseLost(f"delivery:{row.id}: is {row.state}; wait, or settle it first")
        if row.state in ("due", "dead"):
            move(conn, "delivery", row.id, "cancel", actor=officer, at=now)
            alarms.clear(conn, kind="dead_letter", subject=f"delivery:{row.id}", by=officer, now=now)


def _mine(conn: Connection, leased: Leased) -> Row[Any] | None:
    row = conn.execute(select(deliveries).where(deliveries.c.id == leased.id)).one()
    return row if (row.state, row.leased_by, row.leased_until) == ("sending", leased.worker, leased.until) else None


def _deliver(conn: Connection, delivery_id: int, *, store: Store, receipt: dict[str, Any], actor: str, now: datetime) -> None:
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
