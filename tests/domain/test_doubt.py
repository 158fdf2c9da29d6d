from __future__ import annotations

from domain.doubt import LEARNS, doubt


def _scores(*values: float) -> list[dict[str, object]]:
    return [{"classifier": f"c{number}", "value": value} for number, value in enumerate(values)]


def test_judges_far_apart_are_doubt() -> None:
    assert doubt(_scores(0.95, 0.2), score=0.9, review=0.5) == 0.75


def test_a_score_at_the_threshold_is_the_greatest_doubt() -> None:
    assert doubt(_scores(0.5, 0.5), score=0.5, review=0.5) == 1.0


def test_judges_who_agree_far_from_the_threshold_leave_none() -> None:
    assert doubt(_scores(0.97, 0.96), score=0.97, review=0.5) < 0.05


def test_one_judge_alone_disagrees_with_nobody() -> None:
    assert doubt(_scores(0.9), score=0.9, review=0.5) == 0.0
    assert doubt([], score=0.5, review=0.5) >= LEARNS
