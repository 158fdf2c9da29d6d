"""Contacts as people write them, normalised, and masked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.contacts import find, mask


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("电话13812345678", "phone", "13812345678"),
        ("1 3 8 1 2 3 4 5 6 7 8", "phone", "13812345678"),
        ("一三八一二三四五六七八", "phone", "13812345678"),
        ("①③⑧①②③④⑤⑥⑦⑧", "phone", "13812345678"),
        ("010-88886666", "phone", "01088886666"),
        ("400-820-8820", "phone", "4008208820"),
        ("加V：abc12345", "wechat", "abc12345"),
        ("徽信 xyz_2020", "wechat", "xyz_2020"),
        ("微信同号13812345678", "wechat", "13812345678"),
        ("QQ群 123456789", "group", "123456789"),
        ("扣扣：88665544", "qq", "88665544"),
        ("看 http://t.cn/A6abcd 吧", "link", "http://t.cn/a6abcd"),
        ("飞机@HH32107355", "link", "t.me/hh32107355"),
        ("www.example-shop.com", "domain", "www.example-shop.com"),
        ("a.b@qq.com", "email", "a.b@qq.com"),
        ("京ICP备12345678号-1", "icp", "京icp备12345678号-1"),
        ("6222 0211 1122 3344 556", "account", "6222021111223344556"),
        ("TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "crypto", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"),
    ],
)
def test_contact_is_found_and_normalised(text: str, kind: str, value: str) -> None:
    assert [(contact.kind, contact.value) for contact in find(text)] == [(kind, value)]


@pytest.mark.parametrize("text", ["收益18.5%", "2026年11月3日", "上海V5.0版本", "共123人", "微信支付很方便"])
def test_numbers_that_reach_nobody_are_left_alone(text: str) -> None:
    assert find(text) == ()


def test_mask_hides_the_middle_and_keeps_the_rest() -> None:
    assert mask("详情电话13812345678，张经理") == "详情电话138*****678，张经理"


@given(st.text(alphabet="微信qqvV加:：@.0123456789abcdefg群号电话 -http/t.cn①②③一二三", max_size=80))
@settings(max_examples=300, deadline=None)
def test_contacts_are_in_order_apart_and_masked(text: str) -> None:
    at = 0
    for contact in find(text):
        assert at <= contact.start < contact.end <= len(text)
        at = contact.end
    mask(text)
