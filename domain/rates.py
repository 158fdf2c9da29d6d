"""Promised returns read as a yearly rate, in every way that a Chinese ad writes them.

A rate is a graded feature, never a trigger by itself: banks, loans and news write rates too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.numerals import PATTERN, number
from domain.text import Folded, fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One rate. `start`, `end`: half-open, in characters of the text that was given."""

    yearly: float
    """The lower end as a fraction a year, simple interest: 0.18 is 18 %. Capped at 1000."""
    high: float
    """The upper end of a range; equal to `yearly` without one."""
    period: str
    """What the text speaks of: year, month, day, total (no period given), bonus (pay X get Y) or payback (回本)."""
    start: int
    end: int


_N = PATTERN
_UNIT = r"(?:%|个百分点|百分点|个点|点(?![零一二三四五六七八九\d])|分(?![钟期之红享公店部行批析数类组级散布]|为)|厘|毛(?!利))"
_RANGE = (
    rf"(?P<low>{_N})(?:%|个点|分|厘)?(?:(?:-|~|—|－|到|至)+(?P<high>{_N}))?(?P<unit>{_UNIT})"
    r"(?P<half>半|[一二三四五六七八九5](?![\d万千百个年月天]))?"
)
_BAI = rf"百分之(?P<bai>{_N})(?:(?:-|~|到|至)+(?:百分之)?(?P<bai2>{_N}))?"
_WAN = r"(?P<wank>万|千)(?:分之)?(?P<wan>[\d.]+|[一二两三四五六七八九])(?![万千百元块名人家户个年月天,\d])"
_VALUE = rf"(?:{_RANGE}|{_BAI})"
_GAP = r"[^\d%。;!?\n零一二两三四五六七八九十百]{0,8}?"
_GAIN = r"(?:收益|回报|利息|利率|分红|返还|返利|返现|返|息|盈利|利润|租金|增值|提成|收入|利|涨幅|浮盈|回款|释放|派息|奖励|结|付)"
_GAINED = r"(?:收益|回报|利息|利润|返还|返利|盈利|分红|涨幅|涨停|空间)"
_YEARLY = r"(?:年化|年均|年息|年利|年收|年回报|年返|年分红|年租|年付|每年|一年|全年|年率|历史年|预期年|约定年)"
_SPELLINGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("year", re.compile(rf"{_YEARLY}{_GAP}{_VALUE}(?!的(?:人|企业|客户))")),
    ("year", re.compile(rf"{_VALUE}(?:的)?(?:/年|每年|一年|年化|年收益|年息|年利|年回报|p\.?a)")),
    ("month", re.compile(rf"(?:月息|月利|月化|月收益|月回报|月返|月分红|每月|一个月|月结|月盈利|按月|单月|月增|月){_GAP}{_VALUE}(?!月)")),
    ("month", re.compile(rf"{_VALUE}(?:的)?(?:/月|每月|一个月|月息|月利|月收益|月化)")),
    ("month", re.compile(r"(?P<low>[\d.]+|[一二两三四五六七八九])分(?:半)?(?:的)?(?:利息|利(?!润)|息)(?P<unit>)")),
    ("day", re.compile(rf"(?:日息|日利|日化|日收益|日返|日结|日分红|每天|每日|天天|一天|日盈利|日赚|当日){_GAP}{_VALUE}")),
    ("day", re.compile(rf"{_VALUE}(?:的)?(?:/天|/日|每天|每日|日息|日收益|日结)")),
    ("day", re.compile(rf"(?:日息|日利率?|日化|日收益|每天|每日|利息|日返|日){_GAP}{_WAN}")),
    ("total", re.compile(rf"(?:{_GAIN}率?){_GAP}{_VALUE}")),
    ("total", re.compile(rf"{_VALUE}(?:以上)?(?:的)?(?:固定|稳定|高额|最低|保底|超高|净)?{_GAINED}")),
)
_PAYBACK = re.compile(
    rf"(?P<n>{_N})(?P<u>个月|月|天|日|年)(?:内|左右|即可|就能|就可以|就|可|轻松|快速|全部)?"
    r"(?:收回成本|回本|回收成本|收回本金|还本)"
)
_DOUBLE = re.compile(
    rf"(?:(?P<n>{_N})(?P<u>个月|月|天|日|年|周|季度?)"
    r"(?:内|就|即可|可|资产|资金|本金|收益|轻松|快速|实现|就能|就可以)*)?"
    rf"(?:翻(?P<times>{_N})?倍|翻一?番|(?P<times2>{_N})倍(?:以上)?(?:的)?(?:收益|回报|利润|返还|增值)|(?:收益|回报|利润|增值){_GAP}(?P<times3>{_N})倍)"
)
_BONUS = re.compile(
    rf"(?P<verb>存|充|投|买|消费|交|满|预存|充值|投资|储值|入股)(?:值|入|资|款)?(?P<paid>{_N})(?:元|块)?(?:就|即|可|再|立)?"
    rf"(?P<span>一年|每年|年|一个月|每月|月)?(?:就|可|能)?(?:送|返|得|给|赠|变|返还|返现|拿|收|收益|利息)*(?P<got>{_N})(?!倍|%|个月|月|天|年|期|份|人)"
)
_SIGN = re.compile(r"[%％]|息|利|倍|番|回本|百分之|返|送|年化|收益|回报|存|充|个点|分红|厘|成本|本金")
_PER_YEAR = {"year": 1.0, "month": 12.0, "day": 365.0, "total": 1.0}
_YEARS = {"个月": 1 / 12, "月": 1 / 12, "天": 1 / 365, "日": 1 / 365, "年": 1.0, "周": 7 / 365, "季": 0.25, "季度": 0.25}
_CAP = 1000.0


def find(text: str | Folded) -> tuple[Rate, ...]:
    """Every rate, in order, none overlapping. Offsets are in the original of what is given."""
    folded = text if isinstance(text, Folded) else fold(text)
    flat = folded.text
    if not _SIGN.search(flat):
        return ()
    found: list[Rate] = []
    for period, pattern in _SPELLINGS:
        for m in pattern.finditer(flat):
            bounds = _value(m, period)
            if bounds is not None:
                found.append(Rate(yearly=bounds[0], high=bounds[1], period=period, start=m.start(), end=m.end()))
    found += _others(flat)
    return tuple(_mapped(rate, folded) for rate in _apart(found))


def in_folded(folded: Folded) -> tuple[Rate, ...]:
    """As `find`, with offsets in the folded text."""
    size = len(folded.text)
    return find(Folded(folded.text, range(size), range(1, size + 1)))


def _value(m: re.Match[str], period: str) -> tuple[float, float] | None:
    """(low, high) a year as fractions, or None where the number is no rate."""
    groups = m.groupdict()
    times = _PER_YEAR[period]
    if groups.get("wan"):
        value = number(groups["wan"])
        return None if value is None else _clip(value / (10_000 if groups["wank"] == "万" else 1000) * times)
    if groups.get("bai"):
        low, high = number(groups["bai"]), number(groups["bai2"] or groups["bai"])
        return None if low is None or high is None else _clip(low / 100 * times, high / 100 * times)
    low = number(groups.get("low") or "")
    if low is None:
        return None
    high = (number(groups["high"]) if groups.get("high") else None) or low
    unit, half = groups.get("unit") or "", groups.get("half")
    if not unit or unit == "分":
        # 月息3分 is 3 % a month; 年息1分 by custom 10 % a year; 一分利 alone is monthly.
        scale = 10.0 if period == "year" else 1.0
        if half:
            extra = 0.5 if half == "半" else (number(half) or 0.0) / 10
            low, high = low + extra, high + extra
        if period == "total":
            return None
        return _clip(low * scale / 100 * times, high * scale / 100 * times)
    if unit in ("厘", "毛"):
        scale = (1.0 if period == "year" else 0.1) if unit == "厘" else 10.0
        return _clip(low * scale / 100 * times, high * scale / 100 * times)
    return _clip(low / 100 * times, high / 100 * times)


def _clip(low: float, high: float | None = None) -> tuple[float, float]:
    high = low if high is None else high
    return min(low, high, _CAP), min(max(low, high), _CAP)


def _others(flat: str) -> list[Rate]:
    """Payback times, multiples, and pay X get Y."""
    found = []
    for m in _PAYBACK.finditer(flat):
        count = number(m["n"])
        if count:
            yearly = min(1.0 / (count * _YEARS[m["u"]]), _CAP)
            found.append(Rate(yearly=yearly, high=yearly, period="payback", start=m.start(), end=m.end()))
    for m in _DOUBLE.finditer(flat):
        times = number(m["times"] or m["times2"] or m["times3"] or "一") or 1.0
        years = (number(m["n"]) or 1.0) * _YEARS[m["u"]] if m["n"] else 1.0
        yearly = min(times / years if years else _CAP, _CAP)
        found.append(Rate(yearly=yearly, high=yearly, period="total", start=m.start(), end=m.end()))
    for m in _BONUS.finditer(flat):
        paid, got = number(m["paid"]), number(m["got"])
        if paid and got and paid >= 100 and 0.01 <= got / paid <= 20:
            yearly = min(got / paid * (12 if m["span"] and "月" in m["span"] else 1), _CAP)
            period = "year" if m["span"] and "年" in m["span"] else "month" if m["span"] else "bonus"
            found.append(Rate(yearly=yearly, high=yearly, period=period, start=m.start(), end=m.end()))
    return found


def _apart(rates: list[Rate]) -> list[Rate]:
    """No two overlap: a rate with a period wins over one without, then the longer one, then the first."""
    ranked = sorted(rates, key=lambda rate: (rate.period == "total", rate.start - rate.end, rate.start))
    kept: list[Rate] = []
    for rate in ranked:
        if all(rate.end <= other.start or other.end <= rate.start for other in kept):
            kept.append(rate)
    return sorted(kept, key=lambda rate: rate.start)


def _mapped(rate: Rate, folded: Folded) -> Rate:
    start, end = folded.span(rate.start, rate.end)
    return Rate(yearly=round(rate.yearly, 6), high=round(rate.high, 6), period=rate.period, start=start, end=end)
