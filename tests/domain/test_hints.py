"""Hints are never missing where a rate or a contact is read."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from domain import contacts, hints, rates
from domain.signs import codes_of
from domain.text import fold_all

ROOT = Path(__file__).parents[2]
PIECES = [
    "年化",
    "18%",
    "月息",
    "3分",
    "日息",
    "万5",
    "月返",
    "5个点",
    "一分利",
    "翻倍",
    "翻三番",
    "存1万",
    "一年",
    "900",
    "投10万",
    "每月",
    "拿3000",
    "3个月",
    "回本",
    "百分之十二",
    "八厘",
    "两成",
    "收益",
    "十倍",
    "充1000",
    "返1000",
    "12-15",
    "四成",
    "一天",
    "三厘",
    "当日",
    "变",
    "给",
    "利",
    "点",
    "个",
    "微信",
    "abc_12",
    "wx：",
    "138",
    "0000",
    "1234",
    "@",
    "t.me/ab1",
    "q群",
    "12345",
    "。com",
    "收款人",
    "加",
    "号",
]


def missed(texts: list[str]) -> list[str]:
    folded = fold_all(texts)
    codes = codes_of(folded.texts)
    wrong = []
    for one, rate, contact in zip(folded, hints.rates(*codes).tolist(), hints.contacts(*codes).tolist(), strict=True):
        if (not rate and rates.in_folded(one)) or (not contact and contacts.in_folded(one)):
            wrong.append(one.text)
    return wrong


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=9).map("".join), min_size=1, max_size=8))
@settings(max_examples=400, deadline=None)
def test_no_mixture_is_missed(texts: list[str]) -> None:
    assert missed(texts) == []


def test_nothing_is_missed_in_what_wangxun_carries() -> None:
    files = [*(ROOT / "classifiers" / "data" / "composed").glob("*.jsonl"), *(ROOT / "patrol" / "demo" / "posts").glob("*.jsonl")]
    rows = [json.loads(line) for path in sorted(files) for line in path.read_text("utf-8").splitlines()]
    texts = [row.get("text") or f"{row.get('title', '')}\n{row.get('body', '')}" for row in rows]
    assert len(texts) > 5000
    assert missed(texts) == []


def test_most_ordinary_texts_are_let_go() -> None:
    codes = codes_of(["今天下午去公园看花，晚上吃面。", "孩子们在操场上踢足球", "", "三点到五点停水"])
    assert not hints.rates(*codes).any()
    assert not hints.contacts(*codes).any()
