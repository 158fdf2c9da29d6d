"""Review (复核): a person takes a hit, looks, and decides with a reason. Claims are leases; reopening is the undo.

Machine-collected records that nobody reviewed ground nothing (行政处罚法 art 41), so this is a gate and no courtesy. With
settings.two_person_review, confirming takes a second officer who has not seen the first one's decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row

from domain.clock import CLOCK_SLACK
from domain.errors import IllegalMove, LeaseLost, NotPermitted, StoreFault
from store import audit, decisions, powers
from store.engine import Store
from store.moves import move, writing

Outcome = Literal["confirmed", "dismissed"]
REVIEWERS = ("reviewer", "approver")


def claim(store: Store, hit_id: int, *, officer: str, now: datetime) -> datetime:
    """Take a hit for settings.claim_min minutes, or take one's own again: when the claim ends.

    Raises LeaseLost where another officer holds it, IllegalMove where it waits for nobody, and NotPermitted for those who do not
    review, or who gave the first of two decisions on it.
    """
    until = now + timedelta(minutes=store.settings.claim_min)
    held: dict[str, Any] = {"claimed_by": officer, "claimed_until": until}
    with writing(store) as conn:
        powers.require(conn, officer, *REVIEWERS)
        row = decisions.hit(conn, hit_id)
        # A claim that ends later than any can was made under a clock that has been set back since.
        if row.claimed_by not in (None, officer) and now < row.claimed_until <= until + CLOCK_SLACK:
            raise LeaseLost(f"hit:{hit_id}: {row.claimed_by} reviews it; take another one, or wait until it lapses")
        if row.state == "seconding":
            _require_other(conn, hit_id, officer=officer)
            decisions.hold(conn, hit_id, **held)
            audit.append(conn, actor=officer, action="hit.claim_second", subject=f"hit:{hit_id}", at=now)
            return until
        if row.state == "claimed" and row.claimed_by == officer:
            decisions.hold(conn, hit_id, **held)
            return until
        if row.state == "claimed":
            move(conn, "hit", hit_id, "lapse", actor="machine:review", at=now, detail={"was": row.claimed_by})
        move(conn, "hit", hit_id, "claim", actor=officer, at=now, **held)
    return until


def release(store: Store, hit_id: int, *, officer: str, now: datetime) -> None:
    """Give a claimed hit back undecided. Raises LeaseLost where somebody else holds it."""
    with writing(store) as conn:
        row = decisions.hit(conn, hit_id)
        if row.claimed_by != officer:
            raise LeaseLost(f"hit:{hit_id}: is not yours; {row.claimed_by or 'nobody'} holds it")
        free: dict[str, Any] = {"claimed_by": None, "claimed_until": None}
        if row.state == "seconding":
            decisions.hold(conn, hit_id, **free)
            audit.append(conn, actor=officer, action="hit.release_second", subject=f"hit:{hit_id}", at=now)
        else:
            move(conn, "hit", hit_id, "release", actor=officer, at=now, **free)


def decide(store: Store, hit_id: int, *, officer: str, outcome: Outcome, reason: str, now: datetime) -> str:
    """Confirm or dismiss a claimed hit: the hit's new state (confirmed, dismissed, seconding, or open where two disagree).

    The decision keeps the rule set and the model that spoke. Raises LeaseLost where the claim lapsed or is another's,
    NotPermitted without the role, StoreFault without a reason.
    """
    if not reason.strip():
        raise StoreFault(f"hit:{hit_id}: no reason given; write why, for the publisher and for the next officer")
    with writing(store) as conn:
        powers.require(conn, officer, *REVIEWERS)
        row = decisions.hit(conn, hit_id)
        if row.state not in ("claimed", "seconding"):
            raise IllegalMove(machine="hit", state=row.state, event="decide", allowed=["claim"] if row.state == "open" else [])
        if row.claimed_by != officer or row.claimed_until is None or row.claimed_until <= now:
            raise LeaseLost(f"hit:{hit_id}: your claim has ended; claim it again")
        second = row.state == "seconding"
        if second:
            _require_other(conn, hit_id, officer=officer)
        event = _event(outcome, second=second, two_persons=store.settings.two_person_review)
        decisions.record(
            conn, hit_id, officer=officer, outcome=outcome, reason=reason.strip(), at=now, ruleset=row.ruleset, model=row.model
        )
        if event == "disagree":  # both stand in the record; neither counts, and the hit is looked at afresh
            decisions.reverse(conn, hit_id, by="disagreement")
        return move(conn, "hit", hit_id, event, actor=officer, at=now, detail={"outcome": outcome}, claimed_by=None, claimed_until=None)


def _event(outcome: Outcome, *, second: bool, two_persons: bool) -> str:
    if outcome == "dismissed":
        return "disagree" if second else "dismiss"
    return "confirm" if second or not two_persons else "confirm_first"


def reopen(store: Store, hit_id: int, *, officer: str, reason: str, now: datetime) -> None:
    """Take a decision back, while nothing rests on it.

    Raises StoreFault without a reason, or where a notice or a lead in force rests on the hit (that one is withdrawn first),
    NotPermitted without the role, IllegalMove where nothing was decided.
    """
    if not reason.strip():
        raise StoreFault(f"hit:{hit_id}: no reason given; write why the decision is taken back")
    with writing(store) as conn:
        powers.require(conn, officer, *REVIEWERS)
        resting = decisions.resting(conn, hit_id)
        if resting:
            raise StoreFault(f"hit:{hit_id}: {', '.join(resting)} rests on it; withdraw or decline that first")
        move(
            conn,
            "hit",
            hit_id,
            "reopen",
            actor=officer,
            at=now,
            detail={"reason": reason.strip()[:500]},
            claimed_by=None,
            claimed_until=None,
        )
        decisions.reverse(conn, hit_id, by=officer)


def close(store: Store, hit_id: int, *, officer: str, reason: str, now: datetime) -> None:
    """End the work on a confirmed hit, with the reason on record: taken down before anybody acted, handled elsewhere, and so on."""
    if not reason.strip():
        raise StoreFault(f"hit:{hit_id}: no reason given; write why it is closed")
    with writing(store) as conn:
        powers.require(conn, officer, *REVIEWERS)
        move(conn, "hit", hit_id, "close", actor=officer, at=now, detail={"reason": reason.strip()[:500]})


def visible_decisions(conn: Connection, hit_id: int, *, officer: str) -> Sequence[Row[Any]]:
    """The decisions on a hit that `officer` may see: while a second one is awaited, only their own."""
    rows = decisions.of_hit(conn, hit_id)
    if decisions.hit(conn, hit_id).state == "seconding":
        return [row for row in rows if row.officer == officer or row.reversed_by is not None]
    return rows


def _require_other(conn: Connection, hit_id: int, *, officer: str) -> None:
    first = [row.officer for row in decisions.of_hit(conn, hit_id) if row.reversed_by is None]
    if officer in first:
        raise NotPermitted(f"hit:{hit_id}: you gave the first decision; another officer gives the second")
