from __future__ import annotations

from pathlib import Path

import pytest

from classifiers import neural
from classifiers.fusion import Judge
from classifiers.keyword import KeywordClassifier
from classifiers.shadow import Shadow
from domain.model import Document
from rules.loader import load
from tests.pipelines.test_caps import write_pack
from tests.weights import weights

TEXTS = ["这里有甲乙丙，保本保息，年化收益18%", "今天小区停水", "", "庚辛壬", "稳健理财，到期还本付息，加微信咨询"] * 70


@pytest.fixture
def judges(tmp_path: Path) -> tuple[Judge, Judge]:
    """The judge in force, and the whole judge with the candidate's weights."""
    ruleset = load(write_pack(tmp_path / "pack"))
    keyword = KeywordClassifier(ruleset)
    candidate = neural.load(weights(tmp_path / "made", "new-1", bias=2.0))
    return Judge(keyword=keyword, neural=neural.load(), ruleset=ruleset), Judge(keyword=keyword, neural=candidate, ruleset=ruleset)


def test_a_shadow_says_what_the_whole_judge_would_say(judges: tuple[Judge, Judge]) -> None:
    live, other = judges
    assert other.neural is not None
    documents = [Document(text=text) for text in TEXTS]
    words = Shadow(other.neural, ruleset=live.ruleset).beside(documents, live.judge(documents))
    assert [(one.score, one.level) for one in words] == [(one.score, one.level) for one in other.judge(documents)]


def test_a_shadow_of_nothing_says_nothing(judges: tuple[Judge, Judge]) -> None:
    live, other = judges
    assert other.neural is not None
    assert Shadow(other.neural, ruleset=live.ruleset).beside([], []) == []
