"""Every rule's own examples, collected one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from classifiers.keyword import KeywordClassifier
from rules.examples import HIT_AT, MISS_AT, Example, examples, run, tried
from rules.loader import load

RULESET = tried(load())
KEYWORD = KeywordClassifier(RULESET)


@pytest.mark.parametrize("example", examples(RULESET), ids=lambda e: f"{e.rule}-{e.kind}-{len(e.text)}")
def test_example_behaves(example: Example) -> None:
    strength = KEYWORD.strengths(example.text).get(example.rule, 0.0)
    if example.kind == "hit":
        assert strength >= HIT_AT, example.text
    else:
        assert strength <= MISS_AT, f"{example.text} ({example.why})"


def test_examples_of_a_draft_are_tried_too() -> None:
    draft = RULESET.rules[0].model_copy(update={"status": "draft"})
    drafted = tried(replace(RULESET, rules=(draft,)))
    assert drafted.rules[0].status == "background"
    assert all(one is None for one in run(examples(drafted), KeywordClassifier(drafted).strengths))


def test_an_example_that_does_not_behave_is_named_with_its_strength() -> None:
    (wrong,) = run([Example("ad_law.return_promise", "hit", "今天天气好")], lambda text: {"ad_law.return_promise": 0.25})
    assert str(wrong) == "ad_law.return_promise: hit example matches at 0.25, wanted at least 0.9: 今天天气好"
