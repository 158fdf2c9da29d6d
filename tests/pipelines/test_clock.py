"""A clock that stood days ahead and was set back: leases, claims and waits written under it hold nothing up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from domain.errors import LeaseLost
from pipelines import review
from pipelines.channels.folder import FolderChannel
from pipelines.dispatch import dispatch_due
from store import attempts, captures, hits, tables
from store.engine import Store
from tests.pipelines.conftest import House

AHEAD = timedelta(days=3)


def test_postings_leased_ahead_of_time_are_free(any_store: Store, make_house: Callable[[Store], House]) -> None:
    house = make_house(any_store)
    house.kept()
    assert captures.lease_unassessed(any_store, worker="dead", now=house.now + AHEAD, limit=9, lease_s=300)
    assert captures.lease_unassessed(any_store, worker="b", now=house.now, limit=9, lease_s=300)
    assert not captures.lease_unassessed(any_store, worker="c", now=house.now, limit=9, lease_s=300)


def test_claims_made_ahead_of_time_are_nobodys(any_store: Store, make_house: Callable[[Store], House]) -> None:
    house = make_house(any_store)
    hit = house.hit()
    review.claim(any_store, hit, officer="wang", now=house.now + AHEAD)
    review.claim(any_store, hit, officer="li", now=house.now)
    with pytest.raises(LeaseLost):
        review.claim(any_store, hit, officer="wang", now=house.now)


def test_claims_made_ahead_of_time_go_back_to_the_queue(any_store: Store, make_house: Callable[[Store], House]) -> None:
    house = make_house(any_store)
    hit = house.hit()
    review.claim(any_store, hit, officer="wang", now=house.now + AHEAD)
    assert hits.lapse_claims(any_store, now=house.now) == 1
    assert house.state("hits", hit) == "open"


@pytest.mark.parametrize("handed", [False, True], ids=["not handed over", "handed over"])
def test_delivery_leased_ahead_of_time_is_freed_once(any_store: Store, make_house: Callable[[Store], House], handed: bool) -> None:
    house = make_house(any_store)
    house.queued_notice(channel="folder")
    (leased,) = attempts.lease(any_store, worker="dead", now=house.now + AHEAD)
    if handed:
        attempts.hand_over(any_store, leased, now=house.now + AHEAD)
    done = dispatch_due(any_store, {"folder": FolderChannel(any_store.settings)}, now=house.now, worker="w")
    assert (done.delivered, house.state("deliveries", leased.id)) == ((0, "uncertain") if handed else (1, "delivered"))
    if not handed:
        with pytest.raises(LeaseLost):
            attempts.hand_over(any_store, leased, now=house.now)


def test_delivery_put_off_ahead_of_time_is_due(any_store: Store, make_house: Callable[[Store], House]) -> None:
    house = make_house(any_store)
    house.queued_notice(channel="folder")
    with any_store.write() as conn:
        conn.execute(update(tables.deliveries).values(next_at=house.now + AHEAD))
    assert dispatch_due(any_store, {"folder": FolderChannel(any_store.settings)}, now=house.now, worker="w").delivered == 1
