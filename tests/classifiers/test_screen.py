"""The screen: a batch is heard as each text is alone, long texts in parts, and what is quiet never reaches the encoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.fusion import Judge
from classifiers.keyword import KeywordClassifier
from classifiers.screen import STRIDE, Screen, buckets
from domain.model import Document, Level, Opinion, Score
from domain.signs import codes_of
from domain.text import Folded
from rules.loader import load

DRAW = np.random.default_rng(5)
SCREEN = Screen(DRAW.integers(-100, 100, 2**12).astype(np.int8), scale=0.05, bias=-1.0)
KEYWORD = KeywordClassifier(load())


@given(st.lists(st.text(alphabet="保本高息天气\n", max_size=12), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_a_batch_is_heard_as_each_text_alone(texts: list[str]) -> None:
    together = SCREEN.logits(*codes_of(texts))
    assert together == pytest.approx([SCREEN.logits(*codes_of([text]))[0] for text in texts], abs=1e-5)


def test_no_text_gives_nothing_and_an_empty_one_the_bias() -> None:
    assert SCREEN.logits(*codes_of([])).tolist() == []
    assert SCREEN.logits(*codes_of([""])).tolist() == [-1.0]


def test_n_grams_do_not_cross_a_line_break() -> None:
    one, two, three = buckets(codes_of(["ab", "c"])[0], bits=12)
    assert (one > 0).tolist() == [True, True, False, True, False]
    assert (two > 0).tolist() == [True, False, False, False, False]
    assert not three.any()


def test_the_loudest_part_of_a_long_text_speaks() -> None:
    loud = max(("保本", "高息", "天气", "本高"), key=lambda text: SCREEN.logits(*codes_of([text * 100]))[0])
    quiet = "零" * (2 * STRIDE)
    alone = SCREEN.logits(*codes_of([quiet]))[0]
    assert SCREEN.logits(*codes_of([quiet + loud * STRIDE]))[0] > alone


class Listener:
    """A screening classifier that notes what it is given to read."""

    name, version = "neural", "listener-1"
    silent = Opinion(score=Score(classifier="neural", version="listener-1", value=0.005))

    def __init__(self) -> None:
        self.read: list[str] = []

    def hears(self, folded: Sequence[str]) -> list[bool]:
        return ["听" in text for text in folded]

    def judge(self, documents: Sequence[Document]) -> list[Opinion]:
        raise AssertionError("a folding classifier is given folded texts")

    def of_folded(self, texts: Sequence[str], folded: Sequence[Folded]) -> list[Opinion]:
        self.read += texts
        return [Opinion(score=Score(classifier=self.name, version=self.version, value=0.99)) for _ in texts]

    of_heard = of_folded


def test_only_what_is_heard_or_scored_by_rules_is_read() -> None:
    promo = "内部项目保本保息，年化收益18%，五万起投，按月分红，加微信 abcd8888"
    texts = ["今天去公园看花", "听我说两句", promo, ""]
    listener = Listener()
    found = Judge(keyword=KEYWORD, neural=listener, ruleset=KEYWORD.ruleset).judge([Document(text=text) for text in texts])
    assert listener.read == [texts[1], promo]
    assert [one.level is Level.CLEAR for one in found] == [True, False, False, True]
    assert found[0].scores[1] is Listener.silent.score
