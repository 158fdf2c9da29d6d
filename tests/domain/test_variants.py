"""The fold's tables: every row is sound, evasive spellings are read through, ordinary text of the same characters survives."""

from __future__ import annotations

import pytest

from domain.deepfold import variants
from domain.lightfold import table
from domain.text import fold


@pytest.mark.parametrize("variant", variants(), ids=lambda variant: f"{variant.canonical}-{variant.pattern.pattern[:12]}")
def test_row_never_matches_what_it_stands_for(variant) -> None:  # type: ignore[no-untyped-def]
    assert variant.signs and all(variant.signs)
    assert variant.kind in ("split", "lookalike", "homophone", "pinyin", "slang")
    assert not variant.pattern.fullmatch(variant.canonical)


def test_light_fold_is_a_fixed_point() -> None:
    folded = table()
    assert [chr(code) for code, to in folded.items() if folded.get(to, to) != to] == []


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("亻言用卡", "信用卡"),
        ("王里贝才", "理财"),
        ("扌殳次贝", "投资"),
        ("全额辶艮亻呆", "全额退保"),
        ("月殳西示", "股票"),
        ("氵张亻亭", "涨停"),
        ("艹化口贝", "花呗"),
        ("扌是王见", "提现"),
        ("彳正亻言", "征信"),
        ("贝代款", "贷款"),
        ("牛月殳", "牛股"),
        ("贝兼钅戋", "赚钱"),
        ("利自心", "利息"),
    ],
)
def test_split_characters_are_put_together(text: str, folded: str) -> None:
    assert fold(text).text == folded


@pytest.mark.parametrize(
    "text",
    [
        "江西示范区",
        "草木又生",
        "来自心里的话",
        "其月收入三千",
        "钻石广场",
        "首次贝壳找房",
        "近代贝类化石",
        "游客页面",
        "全身尚未干",
        "我国王见到他",
        "员工页面",
        "美女台长",
        "彳亍街头",
        "下水道",
        "宝贝勾起回忆",
        "石马镇",
    ],
)
def test_characters_that_only_stand_side_by_side_survive(text: str) -> None:
    assert fold(text).text == text


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ⅴⅹ：abc123", "微信:abc123"),
        ("🆅🆇：abc123", "微信:abc123"),
        ("ᴠx：abc123", "微信:abc123"),
        ("jiā wēi xìn", "加微信"),
        ("仩菿莪", "上到我"),
        ("囯企収益", "国企收益"),
        ("貸歀", "贷款"),
        ("嶶伩", "微信"),
        ("⺡⻊", "氵足"),
        ("❶➁⒊", "123"),
        ("٣８", "38"),
    ],
)
def test_lookalikes_are_read_as_what_they_look_like(text: str, folded: str) -> None:
    assert fold(text).text == folded


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("存10个达不溜,老本随时拿回", "存10万,本金随时拿回"),
        ("花花变米,小白条也行", "花呗套现,小白条也行"),
        ("加绿泡泡细说", "加微信细说"),
        ("5W起投,月月分红", "5万起投,月月分红"),
    ],
)
def test_slang_is_read_where_the_trade_is_spoken_of(text: str, folded: str) -> None:
    assert fold(text).text == folded


@pytest.mark.parametrize(
    "text",
    [
        "索尼wx10相机",
        "vx620主板",
        "100w快充,投入使用",
        "加vip送礼",
        "黎加vs德国",
        "吃肉喝汤",
        "收米二百斤",
        "点点滴滴",
        "肥肉分开炒",
        "卟啉",
        "折扣扣100块",
        "易见股份",
        "办理材料",
        "往返丽江",
        "京东推保险",
        "周嘉威",
    ],
)
def test_ordinary_words_of_the_same_letters_survive(text: str) -> None:
    assert fold(text).text == text
