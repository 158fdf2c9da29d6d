"""Every way a return is written, as a yearly rate."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.rates import find


@pytest.mark.parametrize(
    ("text", "yearly", "high", "period"),
    [
        ("年化18%", 0.18, 0.18, "year"),
        ("年化１８％", 0.18, 0.18, "year"),
        ("月息3分", 0.36, 0.36, "month"),
        ("月息一分五", 0.18, 0.18, "month"),
        ("月息2分半", 0.30, 0.30, "month"),
        ("月息8厘", 0.096, 0.096, "month"),
        ("日息万5", 0.1825, 0.1825, "day"),
        ("日息万分之五", 0.1825, 0.1825, "day"),
        ("每天返千分之三", 1.095, 1.095, "day"),
        ("月返5%", 0.60, 0.60, "month"),
        ("一分利", 0.12, 0.12, "month"),
        ("资产翻倍", 1.0, 1.0, "total"),
        ("3个月翻倍", 4.0, 4.0, "total"),
        ("存1万一年900", 0.09, 0.09, "year"),
        ("3个月回本", 4.0, 4.0, "payback"),
        ("年化12%-15%", 0.12, 0.15, "year"),
        ("年收益百分之十二", 0.12, 0.12, "year"),
        ("收益率高达15%", 0.15, 0.15, "total"),
        ("日结1%", 3.65, 3.65, "day"),
        ("充一万送五千", 0.5, 0.5, "bonus"),
        ("年回报率不低于8%", 0.08, 0.08, "year"),
        ("12%的年化收益", 0.12, 0.12, "year"),
    ],
)
def test_rate_is_read(text: str, yearly: float, high: float, period: str) -> None:
    (rate,) = find(text)
    assert (rate.yearly, rate.high, rate.period) == (pytest.approx(yearly), pytest.approx(high), period)
    assert 0 <= rate.start < rate.end <= len(text)


@pytest.mark.parametrize("text", ["10分钟到账", "下午三点", "100%纯棉", "分期3个月", "电量12%", "第三分公司", "2026年11月3日"])
def test_what_is_no_return_is_left_alone(text: str) -> None:
    assert find(text) == ()


def test_span_is_of_the_original() -> None:
    text = "本产品，年 化 １８％ 起"
    (rate,) = find(text)
    assert text[rate.start : rate.end] == "年 化 １８％"


@given(st.text(alphabet="年月日息利化返%％.0123456789一二三十百万分厘倍翻个点存充送回本-~至 ", max_size=60))
@settings(max_examples=300, deadline=None)
def test_rates_are_in_order_and_apart(text: str) -> None:
    at = 0
    for rate in find(text):
        assert at <= rate.start < rate.end <= len(text)
        assert 0 <= rate.yearly <= rate.high <= 1000
        at = rate.end
