"""Folding: evasion is read through, ordinary words survive, and every offset finds its way back."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.text import Folded, fold, fold_all


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ＶＸ号", "微信号"),
        ("保 本 保 息", "保本保息"),
        ("返·现", "返现"),
        ("加薇❤️信", "加微信"),
        ("亻言用卡", "信用卡"),
        ("花呗套線", "花呗套现"),
        ("收溢", "收益"),
        ("投zi shouyi", "投资收益"),
        ("bao本bao息", "保本保息"),
        ("①③⑧", "138"),
        ("1️⃣2️⃣", "12"),
        ("⑩萬", "10万"),
        ("拾萬元", "十万元"),
        ("𝑽𝑿：abc", "微信:abc"),
        ("年​化", "年化"),
        ("做lc群", "做理财群"),
        ("頂級財富", "顶级财富"),
    ],
)
def test_evasion_is_read_through(text: str, folded: str) -> None:
    assert fold(text).text == folded


@pytest.mark.parametrize(
    "text", ["芝士很好吃", "小溦来了", "会员返利", "陆金所", "收拾房间", "橡木地板", "他在政府有威信", "公司货款已付", "受益人"]
)
def test_ordinary_words_survive(text: str) -> None:
    assert fold(text).text == text


def test_deep_fold_says_so_and_points_at_the_original() -> None:
    text = "年化高，加薇❤️信聊"
    folded = fold(text)
    start = folded.text.index("微信")
    assert folded.kinds(start, start + 2) == ("homophone",)
    first, last = folded.span(start, start + 2)
    assert text[first:last] == "薇❤️信"


def test_light_fold_is_no_deep_fold() -> None:
    assert fold("保 本 ＡＢ").changes == ()


@given(st.text(max_size=200))
@settings(max_examples=400, deadline=None)
def test_fold_takes_any_unicode_and_is_idempotent(text: str) -> None:
    folded = fold(text)
    assert fold(folded.text).text == folded.text
    assert len(folded.origin) == len(folded.ends) == len(folded.text)
    for start, end in zip(folded.origin, folded.ends, strict=True):
        assert 0 <= start < end <= len(text)


@given(st.text(alphabet="微薇溦信心vxVX ❤️·加保本息里财返力亻言氵台贝者收溢lcfl0123456789:：+①零一二壹贰拾万%年月化\n", max_size=60))
@settings(max_examples=600, deadline=None)
def test_fold_is_idempotent_where_evasion_is_dense(text: str) -> None:
    folded = fold(text)
    assert fold(folded.text).text == folded.text
    assert list(folded.origin) == sorted(folded.origin)


def same(one: Folded, other: Folded) -> bool:
    return (one.text, list(one.origin), list(one.ends), one.changes) == (other.text, list(other.origin), list(other.ends), other.changes)


@given(st.lists(st.text(alphabet="微薇信vx ❤·加保本里财亻言壹贰⑩\n\u200b\ud800。.-🔥", max_size=30), max_size=6))
@settings(max_examples=300, deadline=None)
def test_batch_folds_each_text_as_it_is_folded_alone(texts: list[str]) -> None:
    folded = fold_all(texts)
    assert len(folded) == len(texts)
    assert folded.texts == [fold(text).text for text in texts]
    assert all(same(one, fold(text)) for one, text in zip(folded, texts, strict=True))


@pytest.mark.parametrize(
    "text",
    ["", "\x00" * 1000, "\ud800\udfff" * 500, "😀" * 100_000, "保本" * 500_000, "\u202e" * 10_000, "加微信v" * 100_000, " " * 500_000],
    ids=["empty", "nul", "surrogates", "emoji", "one term", "right to left", "dense", "spaces"],
)
def test_fold_is_bounded_on_bad_input(text: str) -> None:
    began = time.perf_counter()
    fold(text)
    assert time.perf_counter() - began < 20
