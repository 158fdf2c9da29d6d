"""Health: every trouble that needs a person is a finding, a sick system included."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta

import pytest

from domain.settings import Settings
from patrol.health import STALE_BEAT_S, examine
from store.alarms import clear, raise_alarm
from store.engine import Store


def beat(settings: Settings, *, at: datetime, pid: int | None = None) -> None:
    (settings.dir / "daemon.json").write_text(json.dumps({"pid": pid or os.getpid(), "at": at.isoformat()}), encoding="utf-8")


def kinds(settings: Settings, now: datetime) -> list[str]:
    return [one.kind for one in examine(settings, now=now)]


def test_all_is_well(store: Store, settings: Settings, fixed_now: datetime) -> None:
    beat(settings, at=fixed_now)
    assert kinds(settings, fixed_now) == []


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"pid": "x", "at": 3}'])
def test_broken_heartbeat_is_a_finding(store: Store, settings: Settings, fixed_now: datetime, content: str) -> None:
    (settings.dir / "daemon.json").write_text(content, encoding="utf-8")
    assert kinds(settings, fixed_now) == ["daemon"]


def test_stale_heartbeat_is_a_finding(store: Store, settings: Settings, fixed_now: datetime) -> None:
    beat(settings, at=fixed_now - timedelta(seconds=STALE_BEAT_S + 1))
    assert kinds(settings, fixed_now) == ["daemon"]


def test_dead_daemon_is_a_finding(store: Store, settings: Settings, fixed_now: datetime) -> None:
    beat(settings, at=fixed_now, pid=2**22 - 3)
    assert kinds(settings, fixed_now) == ["daemon"]


def test_clock_set_back_is_named_as_such(store: Store, settings: Settings, fixed_now: datetime) -> None:
    beat(settings, at=fixed_now + timedelta(hours=1))
    assert kinds(settings, fixed_now) == ["clock"]


def test_open_alarm_is_a_finding_until_cleared(store: Store, settings: Settings, fixed_now: datetime) -> None:
    beat(settings, at=fixed_now)
    with store.write() as connection:
        raise_alarm(connection, kind="wall", subject="platform:x", text="遇到验证码", now=fixed_now)
    assert kinds(settings, fixed_now) == ["wall"]
    with store.write() as connection:
        clear(connection, kind="wall", subject="platform:x", by="machine:sweep", now=fixed_now)
    assert kinds(settings, fixed_now) == []


def test_full_disk_is_a_finding(store: Store, settings: Settings, fixed_now: datetime) -> None:
    beat(settings, at=fixed_now)
    assert kinds(settings.model_copy(update={"disk_min_mb": 10**9}), fixed_now) == ["disk"]


def test_missing_database_is_a_finding_not_a_crash(settings: Settings, fixed_now: datetime) -> None:
    assert kinds(settings, fixed_now) == ["store"]


def test_altered_database_is_a_finding_not_a_crash(store: Store, settings: Settings, fixed_now: datetime) -> None:
    store.close()
    for name in ("wangxun.db-wal", "wangxun.db-shm"):
        (settings.dir / name).unlink(missing_ok=True)
    (settings.dir / "wangxun.db").write_bytes(b"no database at all" * 1000)
    assert "store" in kinds(settings, fixed_now)
