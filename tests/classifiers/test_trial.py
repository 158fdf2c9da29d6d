"""Rules on trial: their matches are kept, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from classifiers.fusion import Judge
from classifiers.keyword import KeywordClassifier
from classifiers.trial import Trial
from domain.model import Assessment, Document, Level
from rules.loader import RuleSet, load
from rules.schema import Rule

RULE = "illegal_fundraising.tried"
PROMO = "承诺保本付息，年化收益18%，加微信 abc12345"
FILE = {
    "id": RULE,
    "title": "试运行的规则",
    "status": "background",
    "severity": "high",
    "basis": ["ggf.25"],
    "match": {"all": [{"terms": ["还本付息", "保本付息"]}, {"terms": ["本金", "收益", "投资"]}]},
    "examples": {"hit": [{"text": "一"}, {"text": "二"}], "miss": [{"text": "三", "why": "三"}, {"text": "四", "why": "四"}]},
}


@pytest.fixture(scope="module")
def tried() -> RuleSet:
    """The packaged rules, and one on trial."""
    ruleset = load()
    return replace(ruleset, rules=(*ruleset.rules, Rule.model_validate(FILE)))


def _clear(text: str) -> tuple[list[Document], list[Assessment]]:
    return [Document(text=text)], [Assessment(level=Level.CLEAR, score=0.01)]


def test_a_match_in_a_silent_text_is_kept_with_weight_0(tried: RuleSet) -> None:
    (noted,) = Trial(tried).note(*_clear("这里只说还本付息与本金"))
    assert {match.rule for match in noted.matches} == {RULE}
    assert [(match.text, match.weight) for match in noted.matches] == [("还本付息", 0.0), ("本金", 0.0)]
    assert (noted.level, noted.score) == (Level.CLEAR, 0.01)


def test_places_are_those_of_the_original_text(tried: RuleSet) -> None:
    text = "序言。保·本·付·息，投資回報"
    (noted,) = Trial(tried).note(*_clear(text))
    assert noted.matches
    assert all(text[match.start : match.end] == match.text for match in noted.matches)


def test_a_match_deep_in_a_long_text_is_kept(tried: RuleSet) -> None:
    (noted,) = Trial(tried).note(*_clear("今天天气好。\n" * 200 + "到期还本付息，收益稳定。\n" + "明天也好。\n" * 200))
    assert {match.rule for match in noted.matches} == {RULE}


def test_matches_that_the_judge_named_are_not_doubled(tried: RuleSet) -> None:
    judge, documents = Judge(keyword=KeywordClassifier(tried), neural=None, ruleset=tried), [Document(text=PROMO)]
    results = judge.judge(documents)
    assert any(match.rule == RULE for match in results[0].matches)
    assert Trial(tried).note(documents, results) == results


def test_without_background_rules_nothing_is_looked_at(tried: RuleSet) -> None:
    documents, results = _clear(PROMO)
    live = replace(tried, rules=tuple(rule for rule in tried.rules if rule.status != "background"))
    assert Trial(live).note(documents, results) == results
