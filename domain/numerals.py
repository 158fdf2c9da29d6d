"""Numbers as Chinese text writes them: 1.5万, 3万5千, 1,200, 十二, 一万二, 一千五百, 三点五, 两, 半, 一二三."""

from __future__ import annotations

import re

DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "幺": 1}
UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_TAIL = r"(?:[0-9一二两三四五六七八九][千百](?![分元]?之)|[1-9一二三四五六七八九](?=[元块,.。;!?:\s]|一年|一个月|一天|每|$))"
# Bounded and possessive: a page of nothing but digits costs no more than its length.
SMALL = (
    r"(?:[0-9]{1,9}+(?:\.[0-9]{1,4}+)?[十百千万亿]{0,2}|[零〇一二两三四五六七八九十百千半]{1,8}+(?:点[零一二三四五六七八九]{1,4}+)?[万亿]?)"
)
"""Matches one number that is a share or a count."""
PATTERN = (
    rf"(?:[0-9]{{1,3}}(?:,[0-9]{{3}}){{1,3}}(?![0-9])(?:\.[0-9]{{1,4}}+)?|[0-9]{{1,12}}+(?:\.[0-9]{{1,4}}+)?"
    rf"|[零〇一二两三四五六七八九十百千半]{{1,8}}+(?:点[零一二三四五六七八九]{{1,4}}+)?)(?:[十百千万亿]{{1,2}}{_TAIL}?)?"
)
"""Matches one number in folded text, sums of money too; read it with `number`."""
TO = r" ?(?:[-~—–]{1,2}|到|至) ?"
"""Matches what stands between the two ends of a range."""
_ARABIC = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)([十百千万亿]{0,4})([0-9一二两三四五六七八九]?)([百千]?)")
_LONGEST = 24


def number(text: str) -> float | None:
    """The value of `text`, folded; None where it is no number. `1.5万` is 15000.0, `一万二` 12000.0, `半` 0.5, `一二三` 123.0."""
    text = text.replace(",", "")
    if not text or len(text) > _LONGEST:
        return None
    arabic = _ARABIC.fullmatch(text)
    if arabic:
        return _arabic(*arabic.groups())
    if text.startswith("半"):
        return 0.5 if len(text) == 1 else None
    whole, _, fraction = text.partition("点")
    scale = 1.0
    if fraction[-1:] in UNITS:
        scale, fraction = float(UNITS[fraction[-1]]), fraction[:-1]
    half = whole.endswith("半") and len(whole) > 1
    base = _whole(whole[:-1] if half else whole)
    if base is None or any(c not in DIGITS for c in fraction):
        return None
    value = base + (float("0." + "".join(str(DIGITS[c]) for c in fraction)) if fraction else 0.0)
    return (value + (0.5 if half else 0.0)) * scale


def _arabic(figures: str, units: str, tail: str, step: str) -> float | None:
    """`3万5千` and `1万2`: what follows the unit is a tenth of it, unless it names its own."""
    scale = 1.0
    for unit in units:
        scale *= UNITS[unit]
    value = float(figures) * scale
    if not tail:
        return None if step else value
    if not units:
        return None
    digit = float(DIGITS.get(tail, 0) or (tail if tail.isascii() else 0))
    return value + digit * (UNITS[step] if step else UNITS[units[-1]] / 10)


def _whole(text: str) -> float | None:
    if not text or any(c not in DIGITS and c not in UNITS for c in text):
        return None
    if all(c in DIGITS for c in text):
        return float("".join(str(DIGITS[c]) for c in text))
    total = section = 0.0
    digit: float | None = None
    for c in text:
        if c in DIGITS:
            digit = float(DIGITS[c])
        elif UNITS[c] < 10_000:
            section += (1.0 if digit is None else digit) * UNITS[c]
            digit = None
        else:
            total = (total + section + (digit or 0.0) or 1.0) * UNITS[c]
            section, digit = 0.0, None
    if digit is not None and text[-2:-1] in UNITS and UNITS[text[-2]] >= 100:
        # 一万二 is 12000 and 一千五 is 1500; who means 1005 says 一千零五.
        digit *= UNITS[text[-2]] / 10
    return total + section + (digit or 0.0)
