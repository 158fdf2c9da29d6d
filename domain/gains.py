"""Gains that an ad tells without a percentage: 翻倍, 3个月回本, 存1万一年900, 充1000返1000."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from domain.numerals import PATTERN, SMALL, TO, number
from domain.sides import YEARS, term_before


class Gain(NamedTuple):
    """Low and high as fractions a year, the period told, and the half-open span in folded text."""

    low: float
    high: float
    period: str
    start: int
    end: int


_REACH = 18
_PAYBACK = re.compile(
    r"(?:回本(?!书|报|站)|收回(?:成本|本金|投资)|回收成本|还本(?!付息))(?:周期|时间|期)?"
    rf"(?:[仅只需要约为是:]{{0,4}}(?P<n>{SMALL})(?P<u>个月|天|年))?"
)
_BEFORE_BACK = re.compile(
    rf"(?:(?P<n>{SMALL})(?:{TO}(?P<n2>{SMALL}))?(?P<u>个月|月|天|日|年|周)(?P<half>半)?|当(?P<same>[月天日]))"
    r"(?:内|左右|之内|即可|就能|就可以|就|可|能|便|轻松|快速|全部|,){0,4}$"
)
_DOUBLE = re.compile(rf"翻(?:(?P<times>{SMALL})倍|倍|(?P<power>[一二两三四五六七八九1-9]?)番)")
_UNDOUBLED = re.compile(
    r"(?:效率|客流|销量|销售|产量|产能|产值|业绩|gdp|人口|工资|薪|快乐|难度|房价|菜价|油价|物价|数量|热度|流量|速度"
    r"|规模|人数|订单|热量|能力|成绩|幸福|效果|记忆力|营收|营业额|面积|用户|粉丝|播放|搜索|积分|运力|班次|福利|颜值"
    r"|气温|电费|费用|成本|游客|同比|环比|年增|需求|供应|货量|单量)[^,。;!?\n]{0,6}$"
)
"""What doubles without anybody gaining by it."""
_PAID = re.compile(r"[0-9万千百二三四五六七八九](?=[元块本,就即可再立能投入一每年个月天日都会稳固躺送返得给赠变拿到领赚收利分回获息])")
"""Where a sum ends that something may come back for: single characters, so that the engine finds them at once."""
_FIGURES = frozenset("0123456789零〇一二两三四五六七八九十百千万半.,")
_PAY = re.compile(
    rf"(?P<paid>{PATTERN}|万(?=元))(?P<yuan>元|块钱?|本金)?,?(?:就|即|可|再|立|能|本金|投资|入金|,){{0,3}}"
    r"(?P<span>一年|每年|年|一?个月|每个?月|月|每[天日]|一天|日|天天)?(?:就|可|能|都|会|稳定|固定|躺|,){0,3}"
    r"(?P<got>送|返还?现?|得|给|赠|变成?|拿回?|到手|领取?|赚|收益|利息|分红|回报|收|获利|息)?"
    rf"(?:利息|收益|分红|回报|现金|生活费|到|是|约|为|:)?(?P<sum>{PATTERN})"
    r"(?![倍%名人份次套斤张平盒瓶件箱只袋课节克期天年月日吨号楼层点分]|个|多?人|小时|公里)(?:元|块)?"
)
_VERB = re.compile(r"(?:预存|充值|投资|储值|入股|存|充|投|买|消费|交|认购|打款|(?P<full>满))(?:值|入|资|款|金额|够|满)?$")
_SPANS = {"年": "year", "月": "month", "天": "day", "日": "day"}
_PER_YEAR = {"year": 1.0, "month": 12.0, "day": 365.0}
_ONE_FOR_ONE = re.compile(r"[买充存投]一(?:就|即)?返一")


def gains(flat: str) -> Iterator[Gain]:
    """Every gain of these kinds; they may overlap."""
    if "翻" in flat:
        yield from _doubles(flat)
    if "本" in flat:
        yield from _paybacks(flat)
    yield from _sums(flat)
    if "返一" in flat:
        yield from (Gain(1.0, 1.0, "bonus", *m.span()) for m in _ONE_FOR_ONE.finditer(flat))


def _doubles(flat: str) -> Iterator[Gain]:
    """翻倍, 翻3倍, 翻三番, over the term that stands before."""
    for m in _DOUBLE.finditer(flat):
        if _UNDOUBLED.search(flat, max(0, m.start() - _REACH), m.start()):
            continue
        told = number(m["power"] or m["times"] or "一") or 1.0
        gain = told if m["power"] is None else 2.0**told - 1
        years, start = term_before(flat, m.start())
        yield Gain(gain / years, gain / years, "total", start, m.end())


def _paybacks(flat: str) -> Iterator[Gain]:
    """3个月回本, 半年收回成本, 回本周期90天."""
    for m in _PAYBACK.finditer(flat):
        before = _BEFORE_BACK.search(flat, max(0, m.start() - _REACH), m.start())
        if before is not None:
            counts = [1.0] if before["same"] else [number(text) or 0.0 for text in (before["n"], before["n2"]) if text]
            unit, start = before["same"] or before["u"], before.start()
            counts = [count + 0.5 for count in counts] if before["half"] else counts
        elif m["n"]:
            counts, unit, start = [number(m["n"]) or 0.0], m["u"], m.start()
        else:
            continue
        if min(counts) > 0:
            yield Gain(1 / (max(counts) * YEARS[unit]), 1 / (min(counts) * YEARS[unit]), "payback", start, m.end())


def _sums(flat: str) -> Iterator[Gain]:
    """存1万一年900, 投10万每月拿3000, 充一万送五千, 100元变1000元."""
    done = 0
    for hit in _PAID.finditer(flat):
        start = hit.start()
        if start < done or (flat[start] in "二三四五六七八九" and flat[start - 1] not in "万千百"):
            continue
        while start > done and start > hit.start() - 12 and flat[start - 1] in _FIGURES:
            start -= 1
        while flat[start] in ".,":
            start += 1
        m = _PAY.match(flat, start)
        if m is None or not (m["span"] or m["got"]):
            continue
        verb = _VERB.search(flat, max(0, start - 4), start)
        gain = _returned(m, verb) if verb or m["yuan"] or "万" in m["paid"] else None
        if gain is not None:
            done = m.end()
            yield gain


def _returned(m: re.Match[str], verb: re.Match[str] | None) -> Gain | None:
    """What comes back for what is paid, or None where the two sums are no such pair."""
    span, got = m["span"] or "", m["got"] or ""
    paid, back = number(m["paid"]), number(m["sum"])
    if not paid or not back or paid < 100:
        return None
    if verb and verb["full"] and (back != paid or got[:1] not in ("返", "送", "得")):
        # 满100减20 and 满300送50 are how shops sell; only all of it coming back is promised as a gain.
        return None
    share, period = back / paid, _SPANS[span[-1]] if span else "bonus"
    if not (0.0001 if span else 0.01) <= share <= 20:
        return None
    if got[:1] in ("变", "到"):
        share, period = share - 1, period if span else "total"
    yearly = share * _PER_YEAR.get(period, 1.0)
    return Gain(yearly, yearly, period, verb.start() if verb else m.start(), m.end()) if share > 0 else None
