"""The daemon: one a folder, drained on SIGTERM, going on after kill -9, and never silent about what it missed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from apscheduler.events import EVENT_JOB_MISSED
from sqlalchemy import text

from domain.clock import utc_now
from domain.settings import Settings
from patrol import jobs, process
from patrol.daemon import AlreadyRunning, Daemon, hold
from patrol.work import Work, open_work
from store import alarms, captures, runs
from store.engine import Store


@pytest.fixture
def work(store: Store, settings: Settings) -> Iterator[Work]:
    (settings.dir / "none").mkdir()
    opened = open_work(settings.model_copy(update={"platforms_dir": settings.dir / "none"}))
    yield opened
    opened.close()


def _started(settings: Settings) -> subprocess.Popen[bytes]:
    """A daemon in a process of its own, with its heartbeat there."""
    (settings.dir / "none").mkdir(exist_ok=True)
    given = settings.model_copy(update={"platforms_dir": settings.dir / "none"})
    daemon = subprocess.Popen(
        [sys.executable, "-m", "patrol.cli", "run"], cwd=process.ROOT, env=process.environment(given), stderr=subprocess.PIPE
    )
    beat = settings.dir / "daemon.json"
    tick = threading.Event()
    for _ in range(300):
        if beat.is_file() and json.loads(beat.read_text())["pid"] == daemon.pid:
            return daemon
        assert daemon.poll() is None, daemon.stderr.read().decode() if daemon.stderr else ""
        tick.wait(0.1)
    raise AssertionError("no heartbeat within 30 s")


def test_second_daemon_on_one_folder_is_refused(settings: Settings) -> None:
    with hold(settings), pytest.raises(AlreadyRunning, match="another daemon patrols this folder"):
        hold(settings)


def test_sigterm_drains_and_leaves_no_heartbeat(store: Store, settings: Settings) -> None:
    daemon = _started(settings)
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(30) == 0
    assert not (settings.dir / "daemon.json").exists()


def test_kill_9_leaves_a_folder_that_a_new_daemon_takes(store: Store, settings: Settings) -> None:
    first = _started(settings)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    second = _started(settings)
    second.send_signal(signal.SIGTERM)
    assert second.wait(30) == 0


def test_recover_closes_what_a_killed_daemon_left_running(work: Work) -> None:
    with work.store.write() as connection:
        sweep = captures.begin_sweep(connection, platform="x", purpose="patrol", at=utc_now(), pid=2**22 - 5)
        runs.begin_run(connection, job="sweep:x", now=utc_now())
    assert jobs.recover(work) == {"sweeps": 1, "runs": 1, "leases": 0}
    with work.store.read() as connection:
        assert captures.sweep(connection, sweep)["outcome"] == "killed"


def test_sweep_does_not_overlap_another_of_its_platform(work: Work) -> None:
    words = [sys.executable, "-c", "import threading; threading.Event().wait()", "scrapy", "patrol"]
    other = subprocess.Popen(words)
    try:
        with work.store.write() as connection:
            captures.begin_sweep(connection, platform="x", purpose="patrol", at=utc_now(), pid=other.pid)
        assert jobs.sweep(work, "x") == (0, "skipped")
    finally:
        other.kill()
        other.wait()


def test_sweep_does_not_begin_on_a_full_disk(work: Work) -> None:
    work.settings = work.settings.model_copy(update={"disk_min_mb": 10**9})
    assert jobs.sweep(work, "x") == (0, "skipped")
    with work.store.read() as connection:
        assert [row["kind"] for row in alarms.open_alarms(connection)] == ["disk"]


def test_failing_job_is_recorded_and_alarmed_and_cleared_when_it_works_again(work: Work) -> None:
    def broken() -> dict[str, int]:
        raise OSError("the cable is out")

    jobs.recorded(work, "dispatch", broken)
    with work.store.read() as connection:
        assert [(row["kind"], row["subject"]) for row in alarms.open_alarms(connection)] == [("dead_job", "dispatch")]
        last = runs.last_runs(connection, limit=1)[0]
    assert (last["outcome"], last["why"]) == ("failed", "OSError: the cable is out")
    jobs.recorded(work, "dispatch", lambda: {"delivered": 1})
    with work.store.read() as connection:
        assert alarms.open_alarms(connection) == []


def test_missed_run_is_a_row_and_an_alarm(work: Work) -> None:
    daemon = Daemon(work)
    due = utc_now() - timedelta(hours=2)
    daemon._on_trouble(SimpleNamespace(code=EVENT_JOB_MISSED, job_id="assess", scheduled_run_time=due))
    with work.store.read() as connection:
        assert runs.last_runs(connection, job="assess")[0]["outcome"] == "missed"
        assert [row["kind"] for row in alarms.open_alarms(connection)] == ["missed_run"]


def test_gap_since_the_last_success_is_logged_as_missed(store: Store, settings: Settings) -> None:
    folder = settings.dir / "platforms"
    folder.mkdir()
    (folder / "x.yml").write_text("id: xx\ntitle: 某站\nhome: http://127.0.0.1:9/\nkind: portal\nevery: 10m\n", encoding="utf-8")
    work = open_work(settings.model_copy(update={"platforms_dir": folder}))
    with work.store.write() as connection:
        run = runs.begin_run(connection, job="sweep:xx", now=utc_now() - timedelta(hours=5))
        runs.end_run(connection, run, outcome="ok", now=utc_now() - timedelta(hours=5))
    Daemon(work)._log_gap()
    with work.store.read() as connection:
        assert runs.last_runs(connection, job="sweep:xx")[0]["outcome"] == "missed"
    work.close()


def test_clock_set_back_by_days_does_not_stop_the_patrol(work: Work) -> None:
    ran, ahead = threading.Event(), utc_now() + timedelta(days=3)
    daemon = Daemon(work)
    daemon._every(3600, name="assess", body=lambda _: {"ran": ran.set() or 1})  # type: ignore[func-returns-value]
    daemon.scheduler.start(paused=True)
    daemon.scheduler.modify_job("assess", next_run_time=ahead)  # as planned while the clock stood three days ahead
    daemon.scheduler.resume()
    try:
        assert not daemon.look_at_clock(passed_s=5, since=utc_now() - timedelta(seconds=5))
        assert daemon.look_at_clock(passed_s=5, since=ahead)
        assert ran.wait(20)
    finally:
        daemon.scheduler.shutdown()


def test_sweep_that_cannot_be_started_is_closed_alarmed_and_tried_again(work: Work) -> None:
    logs = work.settings.dir / "logs"
    logs.write_text("no folder")
    jobs.recorded(work, "sweep:x", lambda: {"sweep": jobs.sweep(work, "x")[0]})
    with work.store.read() as connection:
        assert captures.running_sweeps(connection, platform="x") == []
        assert [(row["kind"], row["subject"]) for row in alarms.open_alarms(connection)] == [("dead_job", "sweep:x")]
    logs.unlink()
    jobs.recorded(work, "sweep:x", lambda: {"sweep": jobs.sweep(work, "x")[0]})
    with work.store.read() as connection:  # the spider ran now, and failed for want of such a platform: another subject
        found = [(row["kind"], row["subject"], row["text"]) for row in alarms.open_alarms(connection)]
    assert [row[:2] for row in found] == [("dead_job", "platform:x")]
    assert "no platform 'x'" in found[0][2]


def test_sweep_whose_start_nobody_could_note_does_not_block_its_platform_for_ever(work: Work) -> None:
    with work.store.write() as connection:
        old = captures.begin_sweep(connection, platform="x", purpose="patrol", at=utc_now() - timedelta(minutes=10), pid=None)
        just = captures.begin_sweep(connection, platform="y", purpose="patrol", at=utc_now(), pid=None)
    assert jobs.sweep(work, "x")[0]
    assert jobs.sweep(work, "y") == (0, "skipped")
    with work.store.read() as connection:
        assert [captures.sweep(connection, one)["outcome"] for one in (old, just)] == ["killed", "running"]


def test_disk_alarm_of_a_platform_clears_when_a_sweep_ends_otherwise(work: Work) -> None:
    ended = process.Ended(code=0, why="", peak_mb=1, tail="")
    for outcome, kinds in (("disk_full", ["disk"]), ("ok", [])):
        with work.store.write() as connection:
            sweep = captures.begin_sweep(connection, platform="x", purpose="patrol", at=utc_now(), pid=1)
            captures.end_sweep(connection, sweep, outcome=outcome, why="", counts=None, at=utc_now())
        jobs._settle_sweep(work, "x", sweep_id=sweep, ended=ended)
        with work.store.read() as connection:
            assert [row["kind"] for row in alarms.open_alarms(connection)] == kinds


def test_missed_run_clears_itself_when_the_job_runs_again(work: Work) -> None:
    Daemon(work)._on_trouble(SimpleNamespace(code=EVENT_JOB_MISSED, job_id="sweep:x", scheduled_run_time=utc_now()))
    jobs.recorded(work, "sweep:x", dict)
    with work.store.read() as connection:
        assert alarms.open_alarms(connection) == []


def test_run_whose_end_could_not_be_written_is_ended_by_the_next_one(work: Work) -> None:
    def rename(old: str, new: str) -> dict[str, int]:
        with work.store.write() as connection:
            connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
        return {"done": 1}

    jobs.recorded(work, "assess", lambda: rename("runs", "gone"))
    rename("gone", "runs")
    jobs.recorded(work, "dispatch", dict)
    with work.store.read() as connection:
        found = {row["job"]: (row["outcome"], row["counts"]) for row in runs.last_runs(connection)}
    assert found == {"assess": ("ok", {"done": 1}), "dispatch": ("ok", {})}
    assert work.unended == []


SITE = "id: {0}\ntitle: 某站\nhome: http://127.0.0.1:9/\nkind: portal\nevery: 10m\nallow_hosts: ['127.0.0.1:9']\n"


def _alarms(work: Work) -> dict[str, str]:
    with work.store.read() as connection:
        return {row["subject"]: row["text"] for row in alarms.open_alarms(connection)}


def test_faulty_platform_file_pauses_its_platform_alone(store: Store, settings: Settings) -> None:
    folder = settings.dir / "platforms"
    folder.mkdir()
    (folder / "good.yml").write_text(SITE.format("good"), encoding="utf-8")
    (folder / "bad.yml").write_text(SITE.format("bad") + "kindd: x\n", encoding="utf-8")
    work = open_work(settings.model_copy(update={"platforms_dir": folder}))
    daemon = Daemon(work)
    daemon.scheduler.start(paused=True)

    def planned() -> set[str]:
        fixed = {job.id for job in daemon.scheduler.get_jobs()}
        return fixed | {f"sweep:{name}" for name in daemon.planner.names}

    try:
        assert daemon._plan_sweeps() == 1
        assert planned() == {"sweep:good"}
        assert "bad.yml:7: kindd" in _alarms(work)["platform_files"]
        (folder / "bad.yml").write_text(SITE.format("bad"), encoding="utf-8")
        assert daemon._reload(work) == {"changed": 1}
        assert planned() == {"sweep:good", "sweep:bad"}
        assert _alarms(work) == {}
        assert daemon._reload(work) == {}
        (folder / "good.yml").write_bytes(b"\xff\x00")
        assert daemon._reload(work) == {"changed": 1}
        assert planned() == {"sweep:bad"}
    finally:
        daemon.scheduler.shutdown()
        work.close()


def test_platform_that_is_down_is_alarmed_whatever_stands_in_another_file(store: Store, settings: Settings) -> None:
    folder = settings.dir / "platforms"
    folder.mkdir()
    (folder / "good.yml").write_text(SITE.format("good"), encoding="utf-8")
    (folder / "bad.yml").write_text("id: [1\n", encoding="utf-8")
    work = open_work(settings.model_copy(update={"platforms_dir": folder}))
    assert jobs.sweep(work, "good")[1] == "failed"
    with work.store.read() as connection:
        assert {(row["kind"], row["subject"]) for row in alarms.open_alarms(connection)} == {
            ("dead_job", "platform:good"), ("dead_job", "platform_files"),
        }  # fmt: skip
    work.close()


def test_rotate_keeps_one_older_log(tmp_path: Path) -> None:
    log = tmp_path / "sweep.log"
    log.write_bytes(b"x" * 100)
    jobs._rotate(log, limit=50)
    assert not log.exists()
    assert (tmp_path / "sweep.log.1").stat().st_size == 100


def test_daemon_that_patrols_nothing_says_so(work: Work) -> None:
    Daemon(work)._plan_sweeps()
    with work.store.read() as connection:
        assert [(row["kind"], row["subject"]) for row in alarms.open_alarms(connection)] == [("zero_postings", "platforms")]
