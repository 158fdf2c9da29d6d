from __future__ import annotations

import re

import pytest

from classifiers.pseudonyms import exchanged


@pytest.mark.parametrize(
    ("text", "gone", "shape"),
    [
        ("详询13812345678王经理", "13812345678", r"详询138\d{8}王经理"),
        ("加微信licai8888咨询", "licai8888", r"加微信[a-z]{5}\d{4}咨询"),
        ("发到zhang.san@qq.com", "zhang.san", r"发到[a-z]{5}\.[a-z]{3}@qq\.com"),
        ("身份证110101199001011234", "110101199001011234", r"身份证\d{18}"),
        ("电话１３８１２３４５６７８", "１２３４５６７８", r"电话１３８[０-９]{8}"),
        ("打一三八一二三四五六七八", "一二三四五六七八", r"打一三八[零一二三四五六七八九]{8}"),
    ],
)
def test_a_personal_contact_is_exchanged_for_one_of_its_shape(text: str, gone: str, shape: str) -> None:
    found = exchanged(text)
    assert gone not in found
    assert re.fullmatch(shape, found)
    assert len(found) == len(text)


@pytest.mark.parametrize(
    "text",
    ["年化收益18%，十万起", "致电95588或400-820-8820", "注册资本10000000元", "见www.example.com", "举报请拨12345", ""],
)
def test_what_is_nobodys_stays(text: str) -> None:
    assert exchanged(text) == text


def test_what_is_put_in_knows_nothing_of_what_was_there() -> None:
    assert exchanged("详询13812345678王经理") == exchanged("详询13887654321王经理")


def test_the_same_contact_is_exchanged_alike_within_a_text() -> None:
    numbers = re.findall(r"1\d{10}", exchanged("详询13812345678，再说一遍，13812345678"))
    assert len(numbers) == 2
    assert len(set(numbers)) == 1
