"""Promised returns read as a yearly rate, in every way that a Chinese ad writes them.

A rate is a graded feature, never a trigger by itself: banks, loans and news write rates too. The number is found first, by its unit;
the words on both sides then say whether it is a return, of which period, or something else (a growth, a share, a discount).
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass

from domain.gains import gains
from domain.numerals import SMALL, TO, number
from domain.sides import Side, left_of, right_of, term_before
from domain.text import Folded, fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One rate. `start`, `end`: half-open, in characters of the text that was given."""

    yearly: float
    """The lower end as a fraction a year, simple interest: 0.18 is 18 %. Capped at 1000."""
    high: float
    """The upper end of a range; equal to `yearly` without one."""
    period: str
    """What the text speaks of: year, quarter, month, week, day, total (over the term that it names, else a year), bonus (pay X get Y) or
    payback."""
    start: int
    end: int
    loan: bool = False
    """True where the words around it speak of borrowing: what is paid, not what is earned."""


# Led by single characters that a number ends with: the engine finds these without trying the long patterns everywhere.
_UNIT = re.compile(
    r"[0-9零〇一二两三四五六七八九十百千半]"
    r"(?: ?[%‰点厘毛倍成]| ?个(?=[百点倍])|分(?:之(?=[0-9零一二两三四五六七八九十百])|(?![钟公部享])))|万分之"
)
_NUMERALS = frozenset("0123456789零〇一二两三四五六七八九十百千半万")
_HINT = re.compile(r"[息利益报返红化赚翻获涨得]")
_DOUBTFUL = frozenset("点分毛倍成")
_VALUE = re.compile(
    rf"(?P<per>[百千万])分之(?P<a>{SMALL})(?:{TO}(?:[百千万]分之)?(?P<b>{SMALL}))?"
    rf"|(?P<low>{SMALL}) ?(?:(?P<mid>%|个点|分(?P<mid_half>半|[一二三四五六七八九1-9])?|厘|倍)?{TO}(?P<high>{SMALL}) ?)?"
    r"(?P<unit>%|‰|个?百分点|个点|点(?![零一二三四五六七八九\d半整钟左])|分(?![钟之期公店部行批析数类组级散布支别歧担割手身成子秒为钱])"
    r"|厘(?![米清定])|毛(?![利巾衣毯料病孩])|个?倍(?![率速数镜])|成(?![为功交本员都立绩长熟分果就品型年人群套年]))"
    r"(?:(?<=[分厘毛])(?P<half>半|[一二三四五六七八九1-9](?![\d.万千百十个年月天日期%倍点]|,\d)))?"
)
_SHARE = {"百": 100.0, "千": 1000.0, "万": 10_000.0, "%": 100.0, "‰": 1000.0, "成": 10.0, "倍": 1.0, "个倍": 1.0}
_BY_CUSTOM = {"year": 10.0, "quarter": 1.0, "month": 1.0, "week": 1.0, "day": 0.1}
"""What one 分 is, in per cent: of a year ten, of a month one, of a day a tenth. A 厘 is a tenth of a 分."""
_PER_YEAR = {"year": 1.0, "quarter": 4.0, "month": 12.0, "week": 52.0, "day": 365.0, "total": 1.0}
_CAP = 1000.0

_WHOLE = re.compile(r"[保兑安真正有到无可落归透纯确免全合还实]")
_INTEREST = re.compile(r"息|利(?!润)|化|分红|返|收益|回报|费率")
_LOAN = re.compile(r"贷|借|抵押|还款|下款|放款|信用卡|花呗|白条|按揭|分期|垫资|套现|费率|月费|逾期|罚息|违约")
_CHAIN = re.compile(rf"[,、;/ 和及或与]*(?:{SMALL}(?:个月|年|天)期?(?:的|定期)?[ :为]*)?")
_OFFER = re.compile(
    r"(?<![\d一二三四五六七八九十.])(?:(?:1|2|3|6|9|12|18|24|36|[一二两三四六九]|十[二八])(?:个月|月(?=[标期]))|[1-5一二两三四五]年"
    r"|(?:7|14|15|30|60|90|180|360|365)天)(?:期|标|定期|定存|的标)?[ :为得给有]?$"
)
"""A term from the list by which such products are offered."""
_CUSTOMARY = frozenset(("分", "厘", "毛"))
_TURNOVER = frozenset(("流水", "金额", "总额", "交易额", "销售额", "业绩"))
"""A share of these is no return, unless the text calls it one."""
_NO_MULTIPLE = frozenset(("利率", "收入", "租金", "奖励", "息", "返"))
_SPLIT = re.compile(r"[一二三四五六七八九]{2}")
_POINT = re.compile(r"(?:息|利率?|收益|回报|返|分红|化|赚)[^\d:,早晚上下午凌晨中间时的]{0,4}$")
_TENTHS = re.compile(r"(?:年化|年息|月息|月返|收益|回报|息|利|返)率?[高达到有是为约近可]{0,2}$")
_COMPARED = re.compile(r"的$|活期|定期|银行|信用社|存款|国债|余额宝")
_POINTS = re.compile(r"[息利率化益返结天日][ :]?(?P<k>[万千])(?P<n>[\d.]{1,4}|[一二两三四五六七八九])(?![万千百元块名人家户个年月天,\d分])")


def find(text: str | Folded) -> tuple[Rate, ...]:
    """Every rate, in order, none overlapping. Offsets are in the original of what is given."""
    folded = text if isinstance(text, Folded) else fold(text)
    return tuple(_mapped(rate, folded) for rate in in_folded(folded))


def in_folded(folded: Folded) -> tuple[Rate, ...]:
    """As `find`, with offsets in the folded text."""
    flat = folded.text
    found = list(_values(flat))
    if "万" in flat or "千" in flat:
        found += _points(flat)
    found += [_made(one.low, one.high, period=one.period, start=one.start, end=one.end) for one in gains(flat)]
    return tuple(_apart(found)) if found else ()


def _values(flat: str) -> Iterator[Rate]:
    """Numbers with a unit of return: %, 个点, 分, 厘, 倍, 成, 百分之."""
    last: Rate | None = None
    done = 0
    for hit in _UNIT.finditer(flat):
        at = hit.start()
        if at < done or (last is None and hit[0][-1] in _DOUBTFUL and not _HINT.search(flat, max(0, at - 14), at + 10)):
            continue
        m = _number_at(flat, at, done)
        if m is None:
            continue
        rate = _judged(flat, m, last=last)
        done = m.end()
        if rate is not None:
            last = rate
            yield rate


def _number_at(flat: str, at: int, least: int) -> re.Match[str] | None:
    """The whole number, or range of numbers, whose last digit stands at `at`, with its unit."""
    plain = start = _back(flat, at, least)
    if start - 1 > least and flat[start - 1] in ".点" and flat[start - 2] in _NUMERALS:
        start = _back(flat, start - 2, least)
    gap = start
    while gap > least and start - gap < 4 and flat[gap - 1] in "-~—–到至 ":
        gap -= 1
    if gap < start:
        before = gap
        while before > least and gap - before < 4 and flat[before - 1] in "%个点分厘倍半五之":
            before -= 1
        if before > least and flat[before - 1] in _NUMERALS:
            first = _back(flat, before - 1, least)
            if first - 1 > least and flat[first - 1] in ".点" and flat[first - 2] in _NUMERALS:
                first = _back(flat, first - 2, least)
            m = _VALUE.match(flat, first)
            if m and m.end() > at:
                return m
    for place in (start, plain) if start != plain else (plain,):
        m = _VALUE.match(flat, place)
        if m and m.end() > at and not (place > 0 and (flat[place - 1] in _NUMERALS or flat[place - 1] == ".")):
            return m
    return None


def _back(flat: str, at: int, least: int) -> int:
    """Where the run of numerals that ends at `at` begins."""
    while at > least and flat[at - 1] in _NUMERALS:
        at -= 1
    return at


def _judged(flat: str, m: re.Match[str], *, last: Rate | None) -> Rate | None:
    """The number as a rate, or None where the words beside it make it something else."""
    left, right = left_of(flat, m.start()), right_of(flat, m.end())
    if right.bad or (left.bad and not (right.gain and left.cue in _TURNOVER)) or not _fits(flat, m, left=left, right=right):
        return None
    start, end, years = left.at, right.at, 1.0
    period = right.period or left.period
    if not period and (left.gain or right.gain):
        period = "month" if m["unit"] in _CUSTOMARY else "total"
        if left.cue != "利率":
            years, begins = term_before(flat, m.start())
            start = min(start, begins)
    elif not period:
        period, start = _following(flat, m, last=last)
    bounds = _bounds(m, m["unit"] or "", period) if period else None
    if bounds is None:
        return None
    times = _PER_YEAR[period] / years
    loan = _LOAN.search(flat, max(0, start - 16), end + 8) is not None
    return _made(bounds[0] * times, bounds[1] * times, period=period, start=start, end=end, loan=loan)


def _following(flat: str, m: re.Match[str], *, last: Rate | None) -> tuple[str, int]:
    """(period, start) of a number without a cue of its own: the next of a list, or one that follows its term; "" where neither."""
    if last is not None and m.start() - last.end <= 16 and _CHAIN.fullmatch(flat, last.end, m.start()):
        return last.period, m.start()
    term = _OFFER.search(flat, max(0, m.start() - 9), m.start()) if m["unit"] in ("%", "个点") else None
    return ("year", term.start()) if term else ("", m.start())


def _fits(flat: str, m: re.Match[str], *, left: Side, right: Side) -> bool:
    """Whether the unit can be a return beside these words: 分, 点, 倍 and 成 have other lives."""
    unit = m["unit"] or "%"
    near = flat[left.at : m.start()]
    if unit in _CUSTOMARY:
        if _SPLIT.match(m.group()) or m["low"][-1] in "百千万":
            return False
        alone = bool(left.period) and (bool(m["half"]) or (unit == "厘" and len(near) <= 5))
        return alone or _INTEREST.search(near) is not None or right.cue[:1] in ("利", "息", "收")
    if unit == "点":
        return m["low"] != "一" and (_POINT.search(near) is not None or right.gain)
    if unit in ("倍", "个倍"):
        compared = _COMPARED.search(flat, max(0, m.start() - 12), m.start()) is not None
        return right.gain or (left.gain and not compared and left.cue not in _NO_MULTIPLE)
    if unit == "成":
        return (_TENTHS.search(near) is not None and not _SPLIT.match(m.group())) or right.cue in ("收益", "回报", "利息")
    if m.group() in ("100%", "百分之百", "百分之一百") and not right.gain:
        return left.gain and not _WHOLE.match(flat, m.end())
    return flat[m.start() - 1 : m.start()] not in ("-", "−") or m.start() < 2


def _bounds(m: re.Match[str], unit: str, period: str) -> tuple[float, float] | None:
    """(low, high) of one period as fractions."""
    low = number(m["a"] or m["low"])
    high = number(m["b"] or m["high"] or "") or low
    if low is None or high is None:
        return None
    if m["high"]:
        low = (low + _half(m["mid_half"])) * (0.1 if m["mid"] == "厘" and unit == "分" else 1.0)
        high += _half(m["half"])
    elif not m["b"]:
        low = high = low + _half(m["half"])
    if unit in _CUSTOMARY:
        share = _BY_CUSTOM[period] / 100 * (1.0 if unit == "分" else 0.1 if unit == "厘" else 10.0)
    else:
        share = 1 / _SHARE.get(m["per"] or unit, 100.0)
    return low * share, high * share


def _half(text: str | None) -> float:
    """What follows the unit, as a share of it: 三分五, 2分半."""
    return 0.5 if text == "半" else (number(text or "") or 0.0) / 10


def _points(flat: str) -> Iterator[Rate]:
    """日息万5, 利息千三: parts of ten thousand or of a thousand a day."""
    for m in _POINTS.finditer(flat):
        share = number(m["n"])
        left = left_of(flat, m.start("k"))
        if share and not left.bad:
            yearly = share / _SHARE[m["k"]] * 365
            loan = _LOAN.search(flat, max(0, left.at - 16), m.end() + 8) is not None
            yield _made(yearly, yearly, period="day", start=left.at, end=m.end(), loan=loan)


def _made(low: float, high: float, *, period: str, start: int, end: int, loan: bool = False) -> Rate:
    low, high = min(low, high, _CAP), min(max(low, high), _CAP)
    return Rate(yearly=round(low, 6), high=round(high, 6), period=period, start=start, end=end, loan=loan)


def _apart(rates: list[Rate]) -> list[Rate]:
    """No two overlap: a rate with a period wins over one without, then the longer one, then the first."""
    if len(rates) == 1:
        return rates
    starts: list[int] = []
    kept: list[Rate] = []
    for rate in sorted(rates, key=lambda rate: (rate.period == "total", rate.start - rate.end, rate.start)):
        place = bisect(starts, rate.start)
        if (place == 0 or kept[place - 1].end <= rate.start) and (place == len(kept) or rate.end <= kept[place].start):
            starts.insert(place, rate.start)
            kept.insert(place, rate)
    return kept


def _mapped(rate: Rate, folded: Folded) -> Rate:
    start, end = folded.span(rate.start, rate.end)
    return Rate(yearly=rate.yearly, high=rate.high, period=rate.period, start=start, end=end, loan=rate.loan)
