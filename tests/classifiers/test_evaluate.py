from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from classifiers import evaluate
from classifiers.dataset import Row
from classifiers.evaluate import Word, level_of


def _said(*scores: float) -> list[Word]:
    return [Word(score=score, level=level_of(score), schemes=("loan",)) for score in scores]


def test_average_precision_of_a_perfect_and_of_a_reversed_order() -> None:
    wanted = np.array([True, True, False, False])
    assert evaluate.average_precision(wanted, np.array([0.9, 0.8, 0.2, 0.1])) == pytest.approx(1.0)
    assert evaluate.average_precision(wanted, np.array([0.1, 0.2, 0.8, 0.9])) == pytest.approx((1 / 3 + 2 / 4) / 2)


def test_average_precision_takes_equal_scores_together() -> None:
    wanted = np.array([True, False, True, False])
    assert evaluate.average_precision(wanted, np.full(4, 0.5)) == pytest.approx(0.5)


def test_best_f1_finds_the_best_threshold() -> None:
    assert evaluate.best_f1(np.array([True, True, False]), np.array([0.3, 0.2, 0.1])) == pytest.approx(1.0)


def test_calibration_error_is_zero_where_chances_are_true() -> None:
    wanted = np.array([True] * 8 + [False] * 2)
    assert evaluate.calibration_error(wanted, np.full(10, 0.8)) == pytest.approx(0.0)
    assert evaluate.calibration_error(wanted, np.full(10, 0.1)) == pytest.approx(0.7)


def test_figures_count_hits_by_label_and_scheme() -> None:
    rows = [
        Row(text="a", label="illegal_finance_promo", schemes=("loan",)),
        Row(text="b", label="fundraising_promo", schemes=("crypto",)),
        Row(text="c", label="news"),
        Row(text="d", label="news"),
    ]
    found = evaluate.figures(rows, _said(0.9, 0.2, 0.6, 0.1))
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    assert (found.alert_precision, found.alert_recall) == (1.0, 0.5)
    assert found.by_label == {"fundraising_promo": 0.0, "illegal_finance_promo": 1.0, "news": 0.5}
    assert found.by_scheme == {"crypto": 0.0, "loan": 1.0}
    assert found.scheme_right == 1.0


def test_pairs_need_both_sides_right() -> None:
    def row(pair: str, label: str) -> Row:
        return Row(text="x", label=label, pair=pair)

    rows = [row("a", "news"), row("a", "fundraising_promo"), row("b", "news"), row("b", "fundraising_promo"), row("c", "news")]
    assert evaluate.pairs_right(rows, np.array([False, True, True, True, True])) == 0.5


def test_figures_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        evaluate.figures([], [])


def test_baselines_set_all_speakers_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"text": "保本保息，年化收益18%，到期还本付息，名额有限，加微信咨询", "label": "fundraising_promo", "scheme": "wealth_mgmt"},
        {"text": "今天下午小区停水，请大家提前储水", "label": "other"},
        {"text": "警方提醒：谨防保本高息骗局", "label": "education", "sure": 0},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    assert evaluate.main([str(path), "--baselines", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"keyword", "linear", "neural", "whole"} <= set(found)
    assert found["whole"]["all"]["rows"] == 3
    assert found["whole"]["sure"]["rows"] == 2
    assert found["neural"]["all"]["average_precision"] == 1.0


def test_a_file_with_wrong_labels_is_one_error_and_exit_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "x", "label": "crime"}\n', "utf-8")
    assert evaluate.main([str(path)]) == 1
    assert "rows.jsonl:1" in capsys.readouterr().err
