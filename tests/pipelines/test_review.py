"""Review: claims are leases, decisions carry their grounds, two people may be needed, and reopening is the undo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.errors import IllegalMove, LeaseLost, NotPermitted, StoreFault
from pipelines import review, warn
from store import audit, decisions
from store.engine import Store
from tests.pipelines.conftest import House


def test_decision_keeps_reason_rules_and_model(house: House) -> None:
    hit = house.hit()
    review.claim(house.store, hit, officer="wang", now=house.now)
    assert review.decide(house.store, hit, officer="wang", outcome="confirmed", reason=" 保本承诺 ", now=house.now) == "confirmed"
    with house.store.read() as conn:
        (decision,) = decisions.of_hit(conn, hit)
        rows, faults = audit.verify(conn)
    assert (decision.officer, decision.outcome, decision.reason, decision.ruleset, decision.model) == (
        "wang",
        "confirmed",
        "保本承诺",
        "pack@abc",
        "none",
    )
    assert rows and not faults


def test_claim_is_a_lease_that_another_takes_over_when_it_ends(house: House) -> None:
    hit = house.hit()
    until = review.claim(house.store, hit, officer="wang", now=house.now)
    with pytest.raises(LeaseLost, match="wang reviews it"):
        review.claim(house.store, hit, officer="li", now=house.now)
    later = until + timedelta(seconds=1)
    review.claim(house.store, hit, officer="li", now=later)
    with pytest.raises(LeaseLost, match="claim has ended"):
        review.decide(house.store, hit, officer="wang", outcome="confirmed", reason="晚了", now=later)


def test_an_ended_claim_decides_nothing(house: House) -> None:
    hit = house.hit()
    until = review.claim(house.store, hit, officer="wang", now=house.now)
    with pytest.raises(LeaseLost):
        review.decide(house.store, hit, officer="wang", outcome="confirmed", reason="理由", now=until)
    assert house.state("hits", hit) == "claimed"


def test_release_gives_it_back(house: House) -> None:
    hit = house.hit()
    review.claim(house.store, hit, officer="wang", now=house.now)
    with pytest.raises(LeaseLost):
        review.release(house.store, hit, officer="li", now=house.now)
    review.release(house.store, hit, officer="wang", now=house.now)
    assert house.state("hits", hit) == "open"


def test_no_reason_no_decision(house: House) -> None:
    hit = house.hit()
    review.claim(house.store, hit, officer="wang", now=house.now)
    with pytest.raises(StoreFault, match="no reason"):
        review.decide(house.store, hit, officer="wang", outcome="dismissed", reason="  ", now=house.now)


@pytest.mark.parametrize("officer", ["qian", "nobody", "machine:assess"])
def test_only_reviewers_review(house: House, officer: str) -> None:
    hit = house.hit()
    with pytest.raises(NotPermitted):
        review.claim(house.store, hit, officer=officer, now=house.now)


def test_an_unclaimed_hit_is_not_decided(house: House) -> None:
    hit = house.hit()
    with pytest.raises(IllegalMove, match="allowed here: claim"):
        review.decide(house.store, hit, officer="wang", outcome="confirmed", reason="理由", now=house.now)


@pytest.fixture
def two(store: Store, make_house: Callable[[Store], House]) -> House:
    """A house in which every confirmed hit takes two officers."""
    return make_house(Store(store.engine, store.settings.model_copy(update={"two_person_review": True})))


def first(two: House) -> int:
    hit = two.hit()
    review.claim(two.store, hit, officer="wang", now=two.now)
    assert review.decide(two.store, hit, officer="wang", outcome="confirmed", reason="一审理由", now=two.now) == "seconding"
    return hit


def test_second_officer_differs_and_is_blind(two: House) -> None:
    hit = first(two)
    with pytest.raises(NotPermitted, match="first decision"):
        review.claim(two.store, hit, officer="wang", now=two.now)
    review.claim(two.store, hit, officer="li", now=two.now)
    with two.store.read() as conn:
        assert list(review.visible_decisions(conn, hit, officer="li")) == []
        assert [row.reason for row in review.visible_decisions(conn, hit, officer="wang")] == ["一审理由"]
    assert review.decide(two.store, hit, officer="li", outcome="confirmed", reason="二审理由", now=two.now) == "confirmed"
    with two.store.read() as conn:
        assert len(review.visible_decisions(conn, hit, officer="li")) == 2


def test_disagreement_sends_it_back_with_both_on_record(two: House) -> None:
    hit = first(two)
    review.claim(two.store, hit, officer="li", now=two.now)
    assert review.decide(two.store, hit, officer="li", outcome="dismissed", reason="系存款产品", now=two.now) == "open"
    with two.store.read() as conn:
        assert [(row.officer, row.reversed_by) for row in decisions.of_hit(conn, hit)] == [("wang", "disagreement"), ("li", "disagreement")]


def test_seconding_is_a_lease_too(two: House) -> None:
    hit = first(two)
    review.claim(two.store, hit, officer="li", now=two.now)
    with pytest.raises(LeaseLost):
        review.claim(two.store, hit, officer="zhao", now=two.now)
    review.release(two.store, hit, officer="li", now=two.now)
    review.claim(two.store, hit, officer="zhao", now=two.now)


def test_one_officer_dismisses_even_where_two_confirm(two: House) -> None:
    hit = two.hit()
    review.claim(two.store, hit, officer="wang", now=two.now)
    assert review.decide(two.store, hit, officer="wang", outcome="dismissed", reason="反诈宣传", now=two.now) == "dismissed"


def test_reopening_is_the_undo(house: House) -> None:
    hit = house.confirmed()
    review.reopen(house.store, hit, officer="li", reason="看错主体", now=house.now)
    assert house.state("hits", hit) == "open"
    with house.store.read() as conn:
        assert [row.reversed_by for row in decisions.of_hit(conn, hit)] == ["li"]


def test_what_a_notice_rests_on_is_not_reopened(house: House) -> None:
    hit = house.confirmed()
    notice = warn.draft(house.store, hit, officer="wang", now=house.now)
    with pytest.raises(StoreFault, match=f"notice:{notice} rests on it"):
        review.reopen(house.store, hit, officer="li", reason="看错主体", now=house.now)
    warn.withdraw(house.store, notice, officer="wang", reason="看错主体", now=house.now)
    review.reopen(house.store, hit, officer="li", reason="看错主体", now=house.now)


def test_closing_ends_a_confirmed_hit(house: House) -> None:
    hit = house.confirmed()
    review.close(house.store, hit, officer="wang", reason="页面已自行下架", now=house.now)
    assert house.state("hits", hit) == "closed"
    with pytest.raises(IllegalMove):
        review.reopen(house.store, hit, officer="wang", reason="再看", now=house.now)
