from __future__ import annotations

import numpy as np
import pytest

from classifiers import figures as room
from classifiers.dataset import Row
from classifiers.figures import Word, level_of
from domain.model import Level


def _said(*scores: float) -> list[Word]:
    return [Word(score=score, level=level_of(score), schemes=("loan",)) for score in scores]


def test_average_precision_of_a_perfect_and_of_a_reversed_order() -> None:
    wanted = np.array([True, True, False, False])
    assert room.average_precision(wanted, np.array([0.9, 0.8, 0.2, 0.1])) == pytest.approx(1.0)
    assert room.average_precision(wanted, np.array([0.1, 0.2, 0.8, 0.9])) == pytest.approx((1 / 3 + 2 / 4) / 2)


def test_average_precision_takes_equal_scores_together() -> None:
    wanted = np.array([True, False, True, False])
    assert room.average_precision(wanted, np.full(4, 0.5)) == pytest.approx(0.5)


def test_best_f1_finds_the_best_threshold() -> None:
    assert room.best_f1(np.array([True, True, False]), np.array([0.3, 0.2, 0.1])) == pytest.approx(1.0)


def test_calibration_error_is_zero_where_chances_are_true() -> None:
    wanted = np.array([True] * 8 + [False] * 2)
    assert room.calibration_error(wanted, np.full(10, 0.8)) == pytest.approx(0.0)
    assert room.calibration_error(wanted, np.full(10, 0.1)) == pytest.approx(0.7)


def test_figures_count_hits_by_label_and_scheme() -> None:
    rows = [
        Row(text="a", label="illegal_finance_promo", schemes=("loan",)),
        Row(text="b", label="fundraising_promo", schemes=("crypto",)),
        Row(text="c", label="news"),
        Row(text="d", label="news"),
    ]
    found = room.figures(rows, _said(0.9, 0.2, 0.6, 0.1))
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    assert (found.alert_precision, found.alert_recall) == (1.0, 0.5)
    assert found.by_label == {"fundraising_promo": 0.0, "illegal_finance_promo": 1.0, "news": 0.5}
    assert found.by_scheme == {"crypto": 0.0, "loan": 1.0}
    assert found.scheme_right == 1.0


def test_each_level_counts_what_reaches_it_or_more() -> None:
    rows = [Row(text="a", label="fundraising_promo"), Row(text="b", label="fundraising_promo"), Row(text="c", label="education")]
    found = room.figures(rows, _said(0.95, 0.2, 0.6)).at
    assert {level: (own.hits, own.right, own.recall) for level, own in found.items()} == {
        "watch": (3, 2, 1.0),
        "review": (2, 1, 0.5),
        "alert": (1, 1, 0.5),
    }
    assert found["review"].false_hits == {"education": 1.0}
    assert found["alert"].false_hits == {"education": 0.0}


def test_pairs_need_both_sides_right() -> None:
    def row(pair: str, label: str) -> Row:
        return Row(text="x", label=label, pair=pair)

    rows = [row("a", "news"), row("a", "fundraising_promo"), row("b", "news"), row("b", "fundraising_promo"), row("c", "news")]
    assert room.pairs_of(rows, np.array([False, True, True, True, True])) == [True, False]


@pytest.mark.parametrize("label", ["news", "fundraising_promo"])
def test_rows_of_one_label_alone_have_figures(label: str) -> None:
    found = room.figures([Row(text="a", label=label), Row(text="b", label=label)], _said(0.9, 0.1))
    assert found.average_precision in (0.0, 1.0)
    assert found.rows == 2


def test_figures_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        room.figures([], [])


@pytest.mark.parametrize(
    ("score", "level"),
    [(0.0, Level.CLEAR), (room.WATCH, Level.WATCH), (room.REVIEW, Level.REVIEW), (room.ALERT, Level.ALERT), (1.0, Level.ALERT)],
)
def test_a_bare_score_has_a_level(score: float, level: Level) -> None:
    assert level_of(score) is level
