"""The gate: what it lets go would have been silent anyway, and most of an ordinary stream is let go."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.keyword import SILENT, SPEAKS, KeywordClassifier
from domain.text import fold_all
from rules.examples import examples
from rules.loader import load

KEYWORD = KeywordClassifier(load())
POSTS = Path(__file__).parents[2] / "patrol" / "demo" / "posts"
PIECES = [
    "保本", "年化18%", "加微信", "abc12345", "花呗套现", "警方", "“", "”", "谨防", "原始股", "认购", "，", "。", "\n", "❤", "薇", "\u200b",
    "ＶＸ", "：", "😀", "13812345678", "理财", "返 现", "日赚500", "存1万返2千", "群", "t.cn/abc", "月息3分", "黑马", "600519", "今天",
    "天气",
]  # fmt: skip


def wrongly_let_go(texts: list[str]) -> list[str]:
    folded = fold_all(texts)
    passing = KEYWORD.sieve.passing(folded.texts).tolist()
    wrong = []
    for place, text in enumerate(texts):
        if not passing[place] and KEYWORD.closely(folded[place], text).score.value != SILENT:
            wrong.append(text)
    return wrong


def posts() -> list[str]:
    lines = [line for path in sorted(POSTS.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    return [f"{row.get('title', '')}\n{row.get('body', '')}" for row in map(json.loads, lines)]


def test_no_example_of_a_rule_is_let_go_that_would_be_scored() -> None:
    assert wrongly_let_go([example.text for example in examples(KEYWORD.ruleset)]) == []


def test_no_posting_of_the_demo_town_is_let_go_that_would_be_scored() -> None:
    assert wrongly_let_go(posts()) == []


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), max_size=5))
@settings(max_examples=200, deadline=None)
def test_no_mixture_is_let_go_that_would_be_scored(texts: list[str]) -> None:
    assert wrongly_let_go(texts) == []


def test_gate_lets_go_of_what_no_rule_touches() -> None:
    texts = ["今天下午去公园看花，晚上吃面。", "", "😀" * 50, "孩子们在操场上踢足球"]
    assert not KEYWORD.sieve.passing(fold_all(texts).texts).any()
    assert SPEAKS > 0
