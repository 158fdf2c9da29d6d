"""NUL characters and lone surrogates in what officers, publishers and receivers write: kept without them, on both databases."""

from __future__ import annotations

from collections.abc import Callable

from pipelines import refer, review, warn
from store import audit
from store.engine import Store
from tests.pipelines.conftest import House

ODD = "已核对\x00涉嫌\ud800承诺保本"


def test_decisions(any_store: Store, make_house: Callable[[Store], House]) -> None:
    house = make_house(any_store)
    hit = house.hit()
    review.claim(any_store, hit, officer="wang", now=house.now)
    review.decide(any_store, hit, officer="wang", outcome="confirmed", reason=ODD, now=house.now)
    review.reopen(any_store, hit, officer="wang", reason=ODD, now=house.now)
    review.claim(any_store, hit, officer="wang", now=house.now)
    review.decide(any_store, hit, officer="wang", outcome="confirmed", reason=ODD, now=house.now)
    review.close(any_store, hit, officer="wang", reason=ODD, now=house.now)
    assert chain_faults(any_store) == []


def test_notices(any_store: Store, make_house: Callable[[Store], House]) -> None:
    house = make_house(any_store)
    notice = warn.draft(any_store, house.confirmed(publisher=ODD), officer="wang", channel="folder", address=ODD, now=house.now)
    warn.withdraw(any_store, notice, officer="wang", reason=ODD, now=house.now)
    again = house.queued_notice(channel="folder", url="https://forum.example/2")
    warn.withdraw(any_store, again, officer="sun", reason=ODD, now=house.now)
    assert chain_faults(any_store) == []


def test_leads(any_store: Store, make_house: Callable[[Store], House]) -> None:
    house = make_house(any_store)
    lead = refer.draft(
        any_store, [house.confirmed()], officer="wang", authority="police", channel="folder", suspect=ODD, summary=ODD, now=house.now
    )
    refer.second(any_store, lead, officer="li", now=house.now)
    refer.submit(any_store, lead, officer="li", now=house.now)
    refer.decline(any_store, lead, officer="zhao", reason=ODD, now=house.now)
    refer.redraft(any_store, lead, officer="wang", now=house.now)
    refer.discard(any_store, lead, officer="wang", reason=ODD, now=house.now)
    assert chain_faults(any_store) == []


def chain_faults(store: Store) -> list[str]:
    with store.read() as conn:
        return audit.verify(conn)[1]
