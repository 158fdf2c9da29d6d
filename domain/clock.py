"""Time: aware UTC inside, Asia/Shanghai only for people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has had one time and no summer time since 1992, so a fixed offset needs no tz database."""

Clock = Callable[[], datetime]
"""Gives the present moment, aware UTC. Tests pass a fixed one."""

CLOCK_SLACK = timedelta(hours=1)
"""How far the clocks of two machines may lie apart. A lease that ends later than this and its own length from now was written under
a clock that has been set back since, and holds nothing."""


def utc_now() -> datetime:
    """The present moment, aware UTC."""
    return datetime.now(UTC)


def for_people(moment: datetime, *, seconds: bool = False) -> str:
    """`2026-11-23 16:05` in Shanghai time, with seconds where asked.

    Raises ValueError for a naive moment: nobody can tell which time it is.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone; use domain.clock.utc_now")
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def chinese_date(moment: datetime) -> str:
    """`2026年11月23日` in Shanghai time, as letters carry it."""
    local = moment.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日"


def hour_of(moment: datetime) -> datetime:
    """The full hour that `moment` lies in, aware UTC: the row of the patrol log."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
