"""What no rate and no contact is written without, looked up for a whole batch: only texts that hold a hint are worth reading closely.

A hint is never missing where `domain.rates` or `domain.contacts` would find something; tests hold the three together.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from domain.signs import Signs, runs, within

_NUMERALS = "0123456789零〇一二两三四五六七八九十百千半万亿"
_UNITS = "点分毛倍成"
_GAINS = ("收益", "回报", "分红", "红利", "增值", "提成", "收入", "获利", "浮盈", "回款", "释放", "出借", "费率", "空间", "计息")
_BEFORE_BACK = "送返现得给赠变成拿回到手领取赚益息红报获利收金费是约为:年月天日就可能都会定躺,资"
"""Last characters before a sum that comes back."""
_VERBS = "存值资股充投买费交购款入额够满每"
"""Last characters of the verbs with which money is handed over."""
_MONEY = "万千百元块wku刀张亿"
SUM = re.compile(f"[{_NUMERALS}个][{_MONEY}]")
"""Finds a sum of money, or a number with a large unit, in one folded text."""
_SHORTEST = 5
"""Characters of the shortest name, number or address by which somebody is reached."""


def _pairs(first: str, second: str) -> list[str]:
    return [a + b for a, b in product(first, second)]


@lru_cache(maxsize=1)
def _rates() -> Signs:
    """plain: a unit or a word that says enough by itself. unit: one that has other lives, such as 点 and 分; a rate only where the text
    speaks of a gain. paid: money handed over, or a sum of it; a rate only where another number stands behind what says it comes back."""
    words = ("回本", "收回", "回收", "还本", "返一", "分之", "个点", "个百")
    numbers = (*_pairs("翻", _NUMERALS + "倍番"), *_pairs(_NUMERALS + " ", "厘"), *_pairs("息利率化益返结天日 :", "万千"))
    plain = (*"%‰", *words, *numbers)
    unit = (*_pairs(_NUMERALS + " ", _UNITS), "个倍")
    gain = (*_GAINS, *_pairs("年月日周", "化结入收"), *"利息返盈润赚租奖派涨")
    paid = (*_pairs(_VERBS, _NUMERALS), *_pairs(_NUMERALS, "元块万"))
    return Signs(plain, unit, gain, paid, _pairs(_BEFORE_BACK, _NUMERALS))


@lru_cache(maxsize=1)
def _sums() -> Signs:
    return Signs(_pairs(_NUMERALS + "个", _MONEY))


@lru_cache(maxsize=1)
def _kinds() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Code point -> whether it can stand in a written name or number; the same for numbers in Chinese."""
    latin, han = np.zeros(0x110000, dtype=np.bool_), np.zeros(0x110000, dtype=np.bool_)
    for table, characters in (
        (latin, "abcdefghijklmnopqrstuvwxyz0123456789 -.·—–_@*/#()+:"),
        (han, "零〇一二两三四五六七八九幺0123456789o"),
    ):
        table[[ord(character) for character in characters]] = True
    return latin, han


def rates(codes: NDArray[np.uint32], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the folded texts may hold a rate; `codes` and `starts` as `domain.signs.codes_of` gives them."""
    plain, unit, gain, paid, back = _rates().seen(codes, starts)
    found: NDArray[np.bool_] = plain | (unit & gain) | (paid & back)
    return found


def sums(codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Where in folded texts a sum of money, or a number with a large unit, may stand; ascending."""
    return _sums().places(codes)


def contacts(codes: NDArray[np.uint32], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the folded texts may hold a contact."""
    latin, han = _kinds()
    if len(codes) < _SHORTEST:
        return np.zeros(len(starts) - 1, dtype=np.bool_)
    found: NDArray[np.bool_] = within(runs(latin[codes], _SHORTEST) | runs(han[codes], _SHORTEST), starts)
    found |= _reach().seen(codes, starts)[0]
    return found


@lru_cache(maxsize=1)
def _reach() -> Signs:
    """Words after which a name may stand that is no name to look at (微信理财668 was `vlc668` before the fold), and dots in disguise."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return Signs(("微信", "收款", "账户", "账号", "户名", "汇款", "打款", *_pairs("。点", letters), *_pairs(letters, "。点")))
