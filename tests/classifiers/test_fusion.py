"""Fusion: levels, grades, layers, reasons; and keyword-only judging where the model is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from classifiers.fusion import Judge, load_judge
from classifiers.keyword import KeywordClassifier
from domain.model import Document, Feature, Grade, Layer, Level, Opinion, Score
from rules.loader import load

RULESET = load()
KEYWORD = KeywordClassifier(RULESET)
PROMO = "内部项目保本保息，年化收益18%，五万起投，按月分红，推荐奖、对碰奖另算，发展会员有静态收益，加微信 abcd8888"


class Constant:
    """A classifier that always says the same: enough to see what fusion does with it."""

    name, version = "neural", "constant-1"

    def __init__(self, value: float) -> None:
        self.value = value

    def judge(self, documents: Sequence[Document]) -> list[Opinion]:
        score = Score(classifier=self.name, version=self.version, value=self.value)
        return [Opinion(score=score, schemes=(("p2p", 0.9),), features=(Feature.F3,), spans=((0, 2),)) for _ in documents]


def both(value: float, text: str = PROMO) -> list[str]:
    judge = Judge(keyword=KEYWORD, neural=Constant(value), ruleset=RULESET)
    assessment = judge.judge([Document(text=text)])[0]
    assert assessment.model == "constant-1"
    return [assessment.level.value, f"{assessment.score:.4f}"]


def test_assessment_of_a_promo_is_whole() -> None:
    assessment = Judge(keyword=KEYWORD, neural=None, ruleset=RULESET).judge([Document(text=PROMO)])[0]
    assert assessment.level is Level.ALERT
    assert assessment.grade is Grade.HIGH
    assert assessment.layer is Layer.SUSPECTED_CRIME
    assert "pyramid" in assessment.schemes and "police" in assessment.authorities
    assert {Feature.F2, Feature.F3, Feature.F4, Feature.M} <= set(assessment.features)
    assert "ZH51" in assessment.codes
    assert assessment.model == "none"
    assert assessment.ruleset == RULESET.digest


def test_reasons_say_suspected_and_name_articles() -> None:
    assessment = Judge(keyword=KEYWORD, neural=None, ruleset=RULESET).judge([Document(text=PROMO)])[0]
    ruled = [reason for reason in assessment.reasons if reason.articles]
    assert ruled and all("涉嫌" in reason.text for reason in ruled)
    assert any("第2条" in article for reason in ruled for article in reason.articles)
    assert not any(word in reason.text for reason in assessment.reasons for word in ("认定", "违法分子"))
    for reason in ruled:
        assert reason.start is not None and reason.end is not None and PROMO[reason.start : reason.end]


def test_clear_text_has_no_reasons_and_no_layer() -> None:
    assessment = Judge(keyword=KEYWORD, neural=None, ruleset=RULESET).judge([Document(text="今天去公园看花")])[0]
    assert (assessment.level, assessment.layer, assessment.grade, assessment.reasons) == (Level.CLEAR, None, None, ())


def test_neural_opinion_moves_the_score_both_ways() -> None:
    scores = [float(both(value)[1]) for value in (0.01, 0.5, 0.99)]
    assert scores == sorted(scores) and scores[0] < scores[2]


def test_neural_alone_gives_a_reason_for_the_officer() -> None:
    assessment = Judge(keyword=None, neural=Constant(0.99), ruleset=RULESET).judge([Document(text="看不出的话")])[0]
    assert assessment.level.opens_hit
    assert "涉嫌" in assessment.reasons[0].text and assessment.reasons[0].start == 0


def test_judge_without_any_classifier_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a classifier"):
        Judge(keyword=None, neural=None, ruleset=RULESET)


@pytest.mark.parametrize("mode", ["both", "neural"])
def test_missing_weights_alarm_and_keyword_goes_on(tmp_path: Path, mode: str) -> None:
    judge, alarms = load_judge(rules_dir=None, weights_dir=tmp_path / "nothing", mode=mode)  # type: ignore[arg-type]
    assert len(alarms) == 1 and "模型不可用" in alarms[0]
    assert judge.model == "none"
    assert judge.judge([Document(text=PROMO)])[0].level is Level.ALERT


def test_keyword_mode_asks_for_no_weights(tmp_path: Path) -> None:
    judge, alarms = load_judge(rules_dir=None, weights_dir=tmp_path, mode="keyword")
    assert alarms == [] and judge.neural is None


def test_no_documents_no_assessments() -> None:
    assert Judge(keyword=KEYWORD, neural=Constant(0.5), ruleset=RULESET).judge([]) == []
