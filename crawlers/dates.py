"""When a posting was published, from the ways in which Chinese pages write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from domain.clock import SHANGHAI

_CLOCK = (
    r"(?:\s*日?\s*(?:T|星期.|周.)?\s*(?P<half>上午|下午|凌晨|晚上|中午|AM|PM)?"
    r"\s*(?P<h>\d{1,2})\s*[:：时点]\s*(?P<mi>\d{1,2})?(?:\s*[:：分]\s*(?P<s>\d{1,2}))?)?"
)
_ENDS = r"(?:(?!\d)|(?=\d\d[:：]\d\d))"
"""A day ends before what is no digit, or before a clock that the markup glued to it: 10-0812:00."""
_IN_ADDRESS = re.compile(
    r"/(?P<y>(?:19|20)\d\d)[-/_]?(?P<mo>0[1-9]|1[0-2])[-/_]?(?P<d>0[1-9]|[12]\d|3[01])(?=[/_.-])"
    r"|/t(?P<y2>20\d\d)(?P<mo2>0[1-9]|1[0-2])(?P<d2>0[1-9]|[12]\d|3[01])_"
)
_FULL = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d\d)\s*[-/.年]\s*(?P<mo>1[0-2]|0?[1-9])\s*[-/.月]\s*(?P<d>3[01]|[12]\d|0?[1-9])" + _ENDS + _CLOCK, re.I
)
_SHORT = re.compile(r"(?<![\d.])(?P<mo>1[0-2]|0?[1-9])\s*(?:[-/](?=\d\d)|月)\s*(?P<d>3[01]|[12]\d|0?[1-9])" + _ENDS + _CLOCK, re.I)
_AGO = re.compile(r"(\d{1,4})\s*(?:个)?\s*(秒钟?|分钟|小时|天|日|周|星期|月|年)(?:之)?前")
_DAY = re.compile(r"(今天|昨天|前天|刚刚|刚才|半小时前)" + _CLOCK)
_ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)\s*$")
_UNITS = {"秒": 1, "分": 60, "小": 3600, "天": 86400, "日": 86400, "周": 604800, "星": 604800, "月": 2592000, "年": 31536000}
_DAYS = {"今天": 0, "昨天": 1, "前天": 2}


def moment(text: str, *, now: datetime) -> datetime | None:
    """Aware UTC, or None where `text` names no time that can be.

    Shanghai time where no zone is named; without a year, the latest such day that is not in the future. A time more than
    two days ahead of `now` is a programme's date, not a publication, and gives None.
    """
    text = text.strip()[:300]
    found = _number(text) or _iso(text) or _absolute(text, now) or _relative(text, now) or _mail(text)
    if found is None or found > now + timedelta(days=2) or found.year < 1990:
        return None
    return found


def in_address(url: str, *, now: datetime) -> datetime | None:
    """The day that an address names (/2026-11-23/, /20261123/, /t20261123_5.html), at 0:00 in Shanghai."""
    found = _IN_ADDRESS.search(url)
    if found is None:
        return None
    year, month, day = (int(found[name] or found[name + "2"]) for name in ("y", "mo", "d"))
    try:
        result = datetime(year, month, day, tzinfo=SHANGHAI).astimezone(UTC)
    except ValueError:
        return None
    return result if result <= now + timedelta(days=2) else None


def _number(text: str) -> datetime | None:
    if not (text.isascii() and text.isdigit()):
        return None
    if len(text) == 8:
        return _plain_day(text)
    if len(text) not in (10, 13):
        return None
    return datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), UTC)


def _plain_day(text: str) -> datetime | None:
    """Eight digits that are a day, as a page's meta has them: 20241105. Other numbers of eight digits name none between 2000 and 2099."""
    try:
        return datetime(int(text[:4]), int(text[4:6]), int(text[6:]), tzinfo=SHANGHAI).astimezone(UTC) if text[:2] == "20" else None
    except ValueError:
        return None


def _iso(text: str) -> datetime | None:
    if not _ZONE.search(text) or "T" not in text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def _mail(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=SHANGHAI)).astimezone(UTC)


def _clock(found: re.Match[str]) -> tuple[int, int, int] | None:
    hour, minute, second = (int(found[name] or 0) for name in ("h", "mi", "s"))
    if (found["half"] or "").upper() in ("下午", "晚上", "PM") and hour < 12:
        hour += 12
    return (hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def _at(year: int, found: re.Match[str]) -> datetime | None:
    clock = _clock(found)
    try:
        return datetime(year, int(found["mo"]), int(found["d"]), *(clock or (0, 0, 0)), tzinfo=SHANGHAI).astimezone(UTC)
    except ValueError:
        return None


def _absolute(text: str, now: datetime) -> datetime | None:
    found = _FULL.search(text)
    if found:
        return _at(int(found["y"]), found)
    found = _SHORT.search(text)
    if not found:
        return None
    year = now.astimezone(SHANGHAI).year
    result = _at(year, found)
    return _at(year - 1, found) if result is not None and result > now + timedelta(days=1) else result


def _relative(text: str, now: datetime) -> datetime | None:
    found = _AGO.search(text)
    if found:
        return now - timedelta(seconds=min(int(found[1]) * _UNITS[found[2][0]], 100 * 31536000 // 3))
    found = _DAY.search(text)
    if not found:
        return None
    if found[1] not in _DAYS:
        return now - timedelta(minutes=30 if found[1] == "半小时前" else 0)
    day = now.astimezone(SHANGHAI) - timedelta(days=_DAYS[found[1]])
    hour, minute, second = (_clock(found) or (0, 0, 0)) if found["h"] else (0, 0, 0)
    return day.replace(hour=hour, minute=minute, second=second, microsecond=0).astimezone(UTC)
