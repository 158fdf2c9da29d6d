from __future__ import annotations

import pytest

from classifiers.imagefold import MISREAD, mend


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("澳内新葡京", "澳门新葡京"),
        ("保木保恩，返木快", "保本保息，返本快"),
        ("木金安全", "本金安全"),
        ("稳定攻益", "稳定收益"),
        ("热线138O01l8O00", "热线13800118000"),
        ("收益1O%", "收益10%"),
    ],
)
def test_what_was_misread_is_put_right(read: str, meant: str) -> None:
    assert mend(read) == meant


@pytest.mark.parametrize(
    "text",
    [
        "环保木材",
        "澳内阁改组",
        "归还木材",
        "保木地板",
        "往返木屋",
        "红木金属件",
        "代市长到会",
        "网贷币圈",
        "进攻益发猛烈",
        "Hello Solid Idiot",
        "I0 lIlI",
    ],
)
def test_words_that_are_words_stay(text: str) -> None:
    assert mend(text) == text


def test_nothing_grows_or_shrinks() -> None:
    """Regions count characters."""
    assert all(len(read) == len(meant) and mend(read) == meant for read, meant, _, _ in MISREAD)
