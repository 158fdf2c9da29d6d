"""Homophones by syllable: odd spellings are read as the word where the trade is spoken of, ordinary words and names survive."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import syllables
from domain.syllables import find, interleaved, places, trade_words


def _read(text: str) -> str:
    for start, end, word in reversed(find(text)):
        text = text[:start] + word + text[end:]
    return text


def _dropped(text: str) -> str:
    gone = {start for start, _ in interleaved(text)}
    return "".join(char for at, char in enumerate(text) if at not in gone)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("做里财稳赚", "做理财稳赚"),
        ("投姿一万月返三百,年化18%", "投资一万月返三百,年化18%"),
        ("葆费全退,代理退保", "保费全退,代理退保"),
        ("消费全返,反利到账", "消费全返,返利到账"),
        ("黑户代款秒批", "黑户贷款秒批"),
        ("花被淘现,秒到账", "花呗套现,秒到账"),
        ("免费荐古,明天张停", "免费荐股,明天涨停"),
        ("虚拟毕哇矿日结1%", "虚拟币挖矿日结1%"),
        ("元始股一股三元,翻10倍", "原始股一股三元,翻10倍"),
        ("不查怔信,秒批20万", "不查征信,秒批20万"),
        ("葆本葆息,高收益", "保本保息,高收益"),
    ],
)
def test_spelling_of_the_same_syllables_is_read_as_the_word(text: str, read: str) -> None:
    assert _read(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("tou资一万月入三千", "投资一万月入三千"),
        ("投zi一万月入三千", "投资一万月入三千"),
        ("稳赚的li cai", "稳赚的理财"),
        ("bao本bao息,高收益", "保本保息,高收益"),
        ("秒批daikuan", "秒批贷款"),
    ],
)
def test_syllable_in_latin_letters_is_read(text: str, read: str) -> None:
    assert _read(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "保险受益人可以领取理赔金,投资有风险",
        "师傅手艺好,理财不如学手艺",
        "芝士蛋糕和投资没有关系",
        "他在公司很有威信,管着基金投资",
        "请办理材料费用和贷款手续",
        "体现了投资价值",
        "预期收益不代表承诺",
        "货款已付,贷款未还",
        "存款放宽条件,利息下调",
        "李彩霞今年花了三万元投资店铺",
        "这里财务部投资一万元",
        "把钱转钱给对方账户,贷款诈骗",
        "净赚千亿,股票型基金",
        "同业竞争信批违规,股票跌停",
        "负责人说不要带宽限期,贷款到期",
    ],
)
def test_ordinary_words_survive_beside_the_trade(text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize("text", ["里财先生来了", "葆本是他的名字", "他叫投姿", "头兹镇的集市", "薇心说她明天回家"])
def test_spelling_alone_is_no_word(text: str) -> None:
    assert find(text) == []


def test_word_written_plainly_is_left() -> None:
    assert find("理财投资收益保本返利年化贷款征信套现股票,微信,日赚300%") == []


def test_letters_that_are_part_of_a_longer_run_are_left() -> None:
    assert find("malicaix投资一万") == []


def test_places_points_into_a_batch() -> None:
    text = "今天天气好\n做里财稳赚\n"
    assert places(syllables._codes(text), text) == [text.index("里财")]


@pytest.mark.parametrize(
    ("text", "dropped"),
    [
        ("保❤本❤保❤息", "保本保息"),
        ("保一本一保一息,年一化一收一益", "保本保息,年化收益"),
        ("投、资、理、财", "投资理财"),
        ("投,资,3,9,8,0,元", "投资3980元"),
    ],
)
def test_sign_between_all_characters_is_dropped(text: str, dropped: str) -> None:
    assert _dropped(text) == dropped


@pytest.mark.parametrize(
    "text", ["一针一线一粥一饭", "东、南、西、北", "1,2,3,4,5", "保本保本保本保本", "哈啊哈啊哈啊哈", "甲、乙、丙、丁四方投资"]
)
def test_lists_and_refrains_are_left(text: str) -> None:
    assert interleaved(text) == []


@given(st.text(max_size=120))
@settings(max_examples=300, deadline=None)
def test_any_unicode_is_taken(text: str) -> None:
    assert find(text) == sorted(find(text))
    interleaved(text)


@given(st.text(alphabet="里理财才投头资姿收益溢返反利力保葆本息微薇心信花呗被年化贷代款套淘现touziblicai 1%万,", max_size=50))
@settings(max_examples=500, deadline=None)
def test_found_spellings_are_apart_and_reading_settles(text: str) -> None:
    found = find(text)
    assert all(first[1] <= second[0] for first, second in pairwise(found))
    for _ in range(8):
        text = _read(text)
    assert find(text) == []


def test_every_character_of_a_word_has_a_sound() -> None:
    known = syllables._index().ends
    assert {char for word in trade_words() for char in word.text} <= known.keys()


def test_words_are_listed_once() -> None:
    texts = [word.text for word in trade_words()]
    assert len(texts) == len(set(texts)) > 100


def test_ordinary_text_is_read_fast() -> None:
    text = "昨天下午我们一家去公园散步,孩子在草地上放风筝,老人坐在长椅上聊天,晚上回家做了红烧鱼和青菜汤。" * 3
    find(text)
    began = time.perf_counter()
    for _ in range(1000):
        find(text)
    assert time.perf_counter() - began < 0.2  # some 5 microseconds each; room for a busy machine
