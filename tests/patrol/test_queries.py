"""Keyword patrol: what is searched for, in which turn, and never whom."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from patrol import queries
from patrol.queries import draw, place_names, pool, repeat_after, sample, terms_of
from rules.loader import RuleSet, load

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def ruleset() -> RuleSet:
    return load()


def row(number: int, **values: Any) -> dict[str, Any]:
    base = {
        "id": number,
        "text": f"句{number}",
        "term": f"词{number}",
        "severity": 2,
        "span_h": 0,
        "hits": 0,
        "requests": 0,
        "last_at": None,
    }
    return base | values


def drawn(rows: list[dict[str, Any]], *, count: int = 5, now: datetime = NOW, seed: int = 1) -> list[int]:
    return [one["id"] for one in draw(rows, count=count, now=now, generator=np.random.default_rng(seed))]


def test_place_names_are_split_as_people_write_them() -> None:
    assert place_names("青棠市，棠河县、 棠东区;青棠市\n") == ("青棠市", "棠河县", "棠东区")
    assert place_names("  ") == ()


def test_pool_is_terms_times_places_times_windows(ruleset: RuleSet) -> None:
    found = pool(ruleset, places=("青棠", "棠河"), brought={}, spans_h=(24, 168))
    terms = {one["term"] for one in found}
    assert 300 < len(terms) <= queries.TERMS
    assert len(found) == len(terms) * 2 * 2
    assert {"保本保息", "稳赚不赔"} <= terms
    assert {one["text"] for one in found if one["term"] == "保本保息"} == {"青棠 保本保息", "棠河 保本保息"}
    bare = pool(ruleset, places=(), brought={}, spans_h=())
    assert [one["text"] for one in bare] == [one["term"] for one in bare]
    assert {one["span_h"] for one in bare} == {0}


def test_no_query_names_a_person_a_number_or_a_contact(ruleset: RuleSet) -> None:
    texts = {one["text"] for one in pool(ruleset, places=(), brought={}, spans_h=())}
    assert not [text for text in texts if re.search(r"先生|女士|老师|\d{5,}|[@/:]|微信号", text)]
    rule = ruleset.rule("illegal_fundraising.guaranteed_words")
    clause = rule.match.all[0].model_copy(update={"terms": ("王某投资", "李总带队", "张老师", "13800000000", "加V:abc123", "稳赚不赔")})
    bent = rule.model_copy(update={"match": rule.match.model_copy(update={"all": (clause,)})})
    assert terms_of(bent, ruleset) == ["稳赚不赔"]


def test_rules_that_are_not_live_are_not_searched_for(ruleset: RuleSet) -> None:
    live = [one for one in ruleset.rules if one.id == "illegal_fundraising.guaranteed_words"]
    resting = tuple(one.model_copy(update={"status": "background"}) for one in live)
    assert pool(replace(ruleset, rules=tuple(live)), places=(), brought={}, spans_h=())
    assert pool(replace(ruleset, rules=resting), places=(), brought={}, spans_h=()) == []


def test_what_a_rule_brought_moves_its_terms_forward(ruleset: RuleSet) -> None:
    rule = "illegal_fundraising.guaranteed_words"
    plain = [one["term"] for one in pool(ruleset, places=(), brought={}, spans_h=())]
    lifted = [one["term"] for one in pool(ruleset, places=(), brought={rule: 500}, spans_h=())]
    assert lifted.index("保本保息") < plain.index("保本保息")


def test_what_brings_hits_is_asked_more_often() -> None:
    rows = [row(number, hits=0, requests=200) for number in range(20)]
    rows[7] |= {"hits": 40}
    counts = np.bincount([number for seed in range(60) for number in drawn(rows, seed=seed)], minlength=20)
    assert counts[7] >= 59
    assert counts[7] > 3 * np.delete(counts, 7)[1:].max()


def test_a_good_query_lifts_those_of_its_term() -> None:
    rows = [row(number, term=f"词{number % 10}", requests=100) for number in range(40)]
    rows[3] |= {"hits": 30}
    rows += [row(90, term="词3"), row(91, term="词4")]
    values = [sample(rows[-2:], rows, generator=np.random.default_rng(seed)) for seed in range(200)]
    assert np.mean([one[0] > one[1] for one in values]) > 0.8


def test_none_starves() -> None:
    rows = [row(number, requests=300, hits=60 if number < 6 else 0) for number in range(60)]
    asked: set[int] = set()
    now = NOW
    for turn in range(80):
        for number in drawn(rows, now=now, seed=turn):
            asked.add(number)
            rows[number]["last_at"] = now
        now += timedelta(hours=8)
    assert asked == set(range(60))


def test_nothing_is_asked_twice_within_its_window() -> None:
    rows = [row(number, span_h=24) for number in range(12)]
    seen: list[int] = []
    for turn in range(4):
        numbers = drawn(rows, now=NOW + timedelta(hours=turn))
        for number in numbers:
            rows[number]["last_at"] = NOW + timedelta(hours=turn)
        seen += numbers
    assert sorted(seen) == list(range(12))
    assert len(drawn(rows, now=NOW + timedelta(hours=24))) == 5
    assert repeat_after(0) == timedelta(days=7)


def test_a_query_asked_in_a_future_that_the_clock_took_back_may_go() -> None:
    assert drawn([row(0, last_at=NOW + timedelta(days=9))]) == [0]
    assert drawn([row(0, last_at=NOW + timedelta(minutes=5))]) == []


def test_the_same_words_are_not_asked_in_two_windows_at_once() -> None:
    rows = [row(number, text=f"句{number // 2}", span_h=24 if number % 2 else 168) for number in range(8)]
    assert len({number // 2 for number in drawn(rows)}) == len(drawn(rows)) == 4


@pytest.mark.parametrize("count", [1, 2, 5, 50])
def test_draw_gives_as_many_as_asked_and_each_once(count: int) -> None:
    found = drawn([row(number) for number in range(20)], count=count)
    assert len(found) == len(set(found)) == min(count, 20)
