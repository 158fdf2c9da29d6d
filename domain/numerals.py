"""Chinese numerals read as numbers: 十二, 一百二十, 三点五, 两, 半, 一二三."""

from __future__ import annotations

import re

DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "幺": 1}
UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
PATTERN = r"(?:\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|[零一二两三四五六七八九十百千半]+(?:点[零一二三四五六七八九]+)?)[十百千万亿]*"
"""Matches one number in folded text; read it with `number`."""
_ARABIC = re.compile(r"(\d+(?:\.\d+)?)([十百千万亿]*)")


def number(text: str) -> float | None:
    """The value of `text`, folded; None where it is no number. `1.5万` is 15000.0, `半` is 0.5, `一二三` is 123.0."""
    text = text.replace(",", "")
    arabic = _ARABIC.fullmatch(text)
    if arabic:
        value = float(arabic[1][:18])
        for unit in arabic[2]:
            value *= UNITS[unit]
        return value
    if text.startswith("半"):
        return 0.5 if len(text) == 1 else None
    whole, _, fraction = text.partition("点")
    half = whole.endswith("半") and len(whole) > 1
    base = _whole(whole[:-1] if half else whole)
    if base is None:
        return None
    value = base
    if fraction:
        if any(c not in DIGITS for c in fraction):
            return None
        value += float("0." + "".join(str(DIGITS[c]) for c in fraction))
    return value + (0.5 if half else 0.0)


def _whole(text: str) -> float | None:
    if not text or any(c not in DIGITS and c not in UNITS for c in text) or len(text) > 24:
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
    return total + section + (digit or 0.0)
