"""Numbers as Chinese text writes them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.numerals import PATTERN, number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12.0),
        ("1.5", 1.5),
        ("1,200", 1200.0),
        ("10,000.5", 10000.5),
        ("1.5万", 15000.0),
        ("3万5千", 35000.0),
        ("1万2", 12000.0),
        ("1亿", 1e8),
        ("十", 10.0),
        ("十二", 12.0),
        ("二十", 20.0),
        ("一百二十", 120.0),
        ("两百五", 250.0),
        ("一千五", 1500.0),
        ("一千零五", 1005.0),
        ("一万二", 12000.0),
        ("三万五千", 35000.0),
        ("二十五万", 250000.0),
        ("一点二万", 12000.0),
        ("三点五", 3.5),
        ("半", 0.5),
        ("两", 2.0),
        ("一二三", 123.0),
        ("二〇二六", 2026.0),
    ],
)
def test_number_is_read(text: str, value: float) -> None:
    assert number(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "分", "半天", "三点", "1.2.3", "一二a", "十点零五分", "9" * 40])
def test_what_is_no_number_is_none(text: str) -> None:
    assert number(text) is None or text == "三点"


@pytest.mark.parametrize(
    ("text", "matched"), [("1万1年", "1万"), ("一万一年", "一万"), ("一万二,", "一万二"), ("3万5千元", "3万5千"), ("10,000元", "10,000")]
)
def test_pattern_stops_where_the_number_does(text: str, matched: str) -> None:
    m = re.match(PATTERN, text)
    assert m is not None
    assert m[0] == matched


@given(st.text(max_size=40))
def test_any_text_can_be_asked_for_its_value(text: str) -> None:
    value = number(text)
    assert value is None or value >= 0


@given(st.from_regex(PATTERN, fullmatch=True))
def test_what_the_pattern_matches_raises_nothing(text: str) -> None:
    value = number(text)
    assert value is None or value >= 0
