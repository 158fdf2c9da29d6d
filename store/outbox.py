"""The outbox: what a person approved and is to leave the house, and what people do about it on its way.

A delivery is queued in the transaction that moves its paper; `store.attempts` sends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, insert, select

from domain.errors import IllegalMove, LeaseLost, StoreFault
from store import alarms, audit, powers
from store.attempts import deliver, require_approved
from store.engine import Store
from store.moves import move, writing
from store.tables import deliveries, notices


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
            subject=subject,
            subject_id=subject_id,
            channel=channel,
            address=address,
            idempotency_key=key,
            state="due",
            made_at=at,
            next_at=at,
        )
    ).inserted_primary_key
    assert made is not None
    audit.append(
        conn, actor=actor, action="delivery.queue", subject=f"delivery:{made[0]}", at=at, detail={subject: subject_id, "channel": channel}
    )
    return int(made[0])


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
            deliver(conn, delivery_id, store=store, receipt={"settled_by": officer, "at": now.isoformat()}, actor=officer, now=now)
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
