"""The evasion suite: what is written to be missed is still found, and disguise makes ordinary texts no more suspect."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from classifiers import evasions
from classifiers.dataset import LABELS, PROMOS, SCHEMES
from classifiers.evasions import LEAST_RATIO, LEAST_TACTIC_RATIO, MOST_FALSE_POINTS, TACTICS
from classifiers.fusion import load_judge


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    judge, _ = load_judge(rules_dir=None, weights_dir=None, mode="keyword")
    return evasions.measure(judge)


def test_recall_over_all_tactics_is_kept(measured: dict[str, Any]) -> None:
    assert measured["tactics"]["all"]["ratio"] >= LEAST_RATIO


@pytest.mark.parametrize("tactic", TACTICS)
def test_recall_of_each_tactic_is_kept(measured: dict[str, Any], tactic: str) -> None:
    assert measured["tactics"][tactic]["ratio"] >= LEAST_TACTIC_RATIO


def test_disguised_negatives_are_hardly_hit_more_often(measured: dict[str, Any]) -> None:
    assert measured["negatives"]["points"] <= MOST_FALSE_POINTS


def test_every_tactic_has_twenty_rows() -> None:
    assert len(TACTICS) == 14
    assert min(Counter(row.tactic for row in evasions.suite()).values()) >= 20


def test_every_tactic_has_rows_written_by_hand() -> None:
    hand = Counter(row.tactic for row in evasions.suite() if row.made == "hand")
    assert min(hand[tactic] for tactic in TACTICS) >= 10


def test_rows_are_promos_of_all_schemes_and_differ_from_their_twins() -> None:
    rows = evasions.suite()
    assert {row.label for row in rows} == PROMOS
    assert {row.scheme for row in rows} == set(SCHEMES)
    assert all(row.text != row.twin for row in rows)


def test_negatives_are_many_and_of_every_other_label_but_defects() -> None:
    rows = evasions.negatives()
    assert len({row.text for row in rows}) >= 200
    assert {row.label for row in rows} == set(LABELS) - PROMOS - {"adlaw_defect"}


@pytest.mark.parametrize("tactic", TACTICS)
def test_transformation_is_drawn_by_its_seed(tactic: str) -> None:
    text = evasions.negatives()[0].text + "，投资理财年化15%，加微信"
    way = TACTICS[tactic]
    assert way(text, random.Random(5)) == way(text, random.Random(5)) != text


def test_suite_is_what_make_gives() -> None:
    assert evasions.make() == evasions.suite()
