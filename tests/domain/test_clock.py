from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.clock import SHANGHAI, chinese_date, for_people, hour_of, utc_now


def test_utc_now_is_aware_and_in_utc() -> None:
    assert utc_now().utcoffset() == timedelta(0)


def test_for_people_shows_shanghai_time() -> None:
    moment = datetime(2026, 11, 23, 16, 5, 7, tzinfo=UTC)
    assert for_people(moment) == "2026-11-24 00:05"
    assert for_people(moment, seconds=True) == "2026-11-24 00:05:07"


def test_for_people_refuses_a_naive_moment() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        for_people(datetime(2026, 11, 23))  # noqa: DTZ001


def test_chinese_date_has_no_leading_zeros_and_is_of_shanghai() -> None:
    assert chinese_date(datetime(2026, 1, 1, 16, 0, tzinfo=UTC)) == "2026年1月2日"


def test_hour_of_gives_the_full_hour_in_utc() -> None:
    assert hour_of(datetime(2026, 11, 24, 0, 59, 59, 999999, tzinfo=SHANGHAI)) == datetime(2026, 11, 23, 16, tzinfo=UTC)
