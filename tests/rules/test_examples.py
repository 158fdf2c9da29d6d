"""Every rule's own examples, collected one by one."""

from __future__ import annotations

import pytest

from classifiers.keyword import KeywordClassifier
from rules.examples import HIT_AT, MISS_AT, Example, examples
from rules.loader import load

RULESET = load()
KEYWORD = KeywordClassifier(RULESET)


@pytest.mark.parametrize("example", examples(RULESET), ids=lambda e: f"{e.rule}-{e.kind}-{len(e.text)}")
def test_example_behaves(example: Example) -> None:
    strength = KEYWORD.strengths(example.text).get(example.rule, 0.0)
    if example.kind == "hit":
        assert strength >= HIT_AT, example.text
    else:
        assert strength <= MISS_AT, f"{example.text} ({example.why})"
