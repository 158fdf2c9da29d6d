"""A candidate's words are kept beside and do nothing. On both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, update

from classifiers import neural
from classifiers.fusion import Judge
from classifiers.keyword import KeywordClassifier
from classifiers.shadow import Shadow
from domain.model import Assessment, Document
from pipelines.assess import assess_all
from rules.loader import load
from store import alarms, captures, shadows, tables
from store.engine import Store
from tests.conftest import KeepTexts
from tests.pipelines.test_caps import write_pack
from tests.weights import weights

PROMO = "稳健理财，保本保息，年化收益18%，到期还本付息，加微信 abc12345 咨询"
TEXTS = (PROMO, "今天小区停水，请大家储水", "甲乙丙", "养老公寓床位预订，交十万返利，到期退本金")


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    ruleset = load(write_pack(tmp_path / "pack"))
    return Judge(keyword=KeywordClassifier(ruleset), neural=neural.load(), ruleset=ruleset)


@pytest.fixture
def deaf(judge: Judge, tmp_path: Path) -> Shadow:
    """A candidate that suspects nothing."""
    return Shadow(neural.load(weights(tmp_path / "deaf", "deaf-1", bias=-30.0)), ruleset=judge.ruleset)


def _assess(store: Store, judge: Judge, shadow: Any, now: datetime) -> None:
    assess_all(store, lambda: judge, now=lambda: now, worker="a", shadow=lambda: shadow)


def _judged(store: Store) -> list[Any]:
    with store.read() as connection:
        names = ("posting_id", "level", "score", "model", "matches")
        query = select(*(tables.assessments.c[name] for name in names)).order_by(tables.assessments.c.id)
        return [tuple(row) for row in connection.execute(query)]


def test_a_candidate_is_kept_beside_and_changes_nothing(
    any_store: Store, keep_texts: KeepTexts, judge: Judge, deaf: Shadow, fixed_now: datetime
) -> None:
    keep_texts(*TEXTS)
    _assess(any_store, judge, None, fixed_now)
    alone = _judged(any_store)
    with any_store.write() as connection:
        connection.execute(tables.postings.update().values(assessed_at=None))
    _assess(any_store, judge, deaf, fixed_now)
    assert _judged(any_store)[len(alone) :] == alone
    with any_store.read() as connection:
        found = shadows.beside(connection, "deaf-1")
        rows = connection.execute(select(tables.shadows)).all()
        assert len(connection.execute(select(tables.hits)).all()) == sum(level in ("review", "alert") for _, level, *_ in alone)
    assert found.texts == len(rows) == len(TEXTS)
    assert {row.live_model for row in rows} == {judge.model}
    assert found.down >= 1
    assert found.agree + found.up + found.down == found.texts
    assert found.cost_us > 0 < found.live_cost_us


def test_words_of_a_text_judged_anew_are_replaced(
    any_store: Store, keep_texts: KeepTexts, judge: Judge, deaf: Shadow, fixed_now: datetime
) -> None:
    keep_texts(*TEXTS)
    _assess(any_store, judge, deaf, fixed_now)
    with any_store.write() as connection:
        captures.requeue(connection, ruleset="other", model="other")
    _assess(any_store, judge, deaf, fixed_now)
    with any_store.read() as connection:
        assert shadows.beside(connection, "deaf-1").texts == len(TEXTS)


def test_where_an_officer_decided_both_are_held_against_it(
    any_store: Store, keep_texts: KeepTexts, judge: Judge, deaf: Shadow, fixed_now: datetime
) -> None:
    keep_texts(PROMO)
    _assess(any_store, judge, deaf, fixed_now)
    with any_store.write() as connection:
        connection.execute(update(tables.hits).values(state="dismissed"))
    with any_store.read() as connection:
        found = shadows.beside(connection, "deaf-1")
        (flip,) = shadows.flips(connection, "deaf-1")
    assert (found.decided, found.right, found.live_right) == (1, 1, 0)
    assert (flip.state, flip.level) == ("dismissed", "clear" if flip.score < 0.12 else "watch")


def test_a_candidate_that_breaks_is_an_alarm_and_disturbs_nobody(
    any_store: Store, keep_texts: KeepTexts, judge: Judge, fixed_now: datetime
) -> None:
    def breaks(_documents: Sequence[Document], _results: Sequence[Assessment]) -> list[Any]:
        raise MemoryError("too much")

    keep_texts(*TEXTS)
    _assess(any_store, judge, SimpleNamespace(model="bad-1", beside=breaks), fixed_now)
    with any_store.read() as connection:
        assert [(row["kind"], row["subject"]) for row in alarms.open_alarms(connection)] == [("model", "candidate")]
        assert connection.execute(select(tables.shadows)).all() == []
    assert len(_judged(any_store)) == len(TEXTS)


def test_the_words_of_other_candidates_are_forgotten(
    any_store: Store, keep_texts: KeepTexts, judge: Judge, deaf: Shadow, fixed_now: datetime
) -> None:
    keep_texts(*TEXTS)
    _assess(any_store, judge, deaf, fixed_now)
    with any_store.write() as connection:
        assert shadows.forget(connection, but="deaf-1") == 0
        assert shadows.forget(connection, but="new-1") == len(TEXTS)


def test_nothing_heard_is_nothing_counted(any_store: Store) -> None:
    with any_store.read() as connection:
        assert shadows.beside(connection, "none") == shadows.Beside()
