"""`wangxun run`: the jobs, round the clock, by APScheduler 3.x.

Missed runs are coalesced and logged, a platform is never swept twice at once, SIGTERM drains, and a start after kill -9 goes on
where the store stands.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import IO, Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from domain.errors import PatrolError, StoreFault
from domain.settings import Settings
from patrol import cloaking, inbox, jobs, schedule_errand, session_pause
from patrol.schedule_plan import Planner
from patrol.work import Work
from store import alarms, runs

log = logging.getLogger(__name__)
HEARTBEAT_S = 15
SCHEDULE_S = 15
"""How often the schedule looks for sources that are due: a burst is answered within minutes."""
CLOCK_LOOK_S = 5.0
CLOCK_JUMP_S = 30.0
"""A clock set back by more than this would leave every job waiting for a moment that lies far ahead."""


class AlreadyRunning(PatrolError):
    """Another daemon holds this data folder."""


class Daemon:
    """All jobs of one data folder. `start`, then `wait`; `drain` from any thread."""

    def __init__(self, work: Work, *, pace: float = 1.0) -> None:
        """`pace` divides every interval: 1.0 in production; the demo city lives faster."""
        self.work, self.pace = work, pace
        self._lock: IO[str] | None = None
        self._finished = threading.Event()
        self._planned: dict[str, tuple[str, float]] = {}
        self._out: set[str] = set()
        self._failed = False
        self._resumed: set[str] = set()
        self.planner = Planner(work, pace=pace)
        self.scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(6), "sweeps": ThreadPoolExecutor(work.settings.sweeps_at_once)},
            # The library's grace of one second drops runs silently on a busy machine; here a late run still runs, once.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600},
        )
        self.scheduler.add_listener(self._on_trouble, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_ERROR)

    def start(self) -> None:
        """Take the folder's lock, recover, and begin. Raises AlreadyRunning."""
        self._lock = hold(self.work.settings)
        recovered = jobs.recover(self.work)  # before its own row, since it closes every row that is still running
        jobs.recorded(self.work, "recover", lambda: recovered)
        self._log_gap()
        for seconds, name, body in (
            (5, "assess", jobs.judge),
            (5, "dispatch", jobs.deliver),
            (60, "feedback", jobs.feedback),
            (120, "recheck", jobs.verify_notices),
            (300, "tidy", jobs.tidy),
            (600, "cloak", cloaking.compare_views),
            (60, "stamp", cloaking.stamp),
            (10, "inbox", inbox.take_in),
        ):
            self._every(seconds, name=name, body=body)
        self._plan_sweeps()
        self._every(60, name="platforms", body=self._reload)
        self._every(3600, name="rotation", body=self._refill)
        self._add(SCHEDULE_S, name="schedule", body=self._send_out)
        self.scheduler.add_job(self._heartbeat, IntervalTrigger(seconds=HEARTBEAT_S), id="heartbeat", next_run_time=self.work.clock())
        self.scheduler.start()
        log.info("daemon=started platforms=%d", len(self.work.platforms))

    def _every(self, seconds: float, *, name: str, body: Callable[[Work], jobs.Counts]) -> None:
        def job() -> None:
            if not self.work.stop.is_set():
                jobs.recorded(self.work, name, lambda: body(self.work))

        self._add(seconds, name=name, body=job)

    def _add(self, seconds: float, *, name: str, body: Callable[[], None]) -> None:
        self.scheduler.add_job(body, IntervalTrigger(seconds=max(2, round(seconds / self.pace))), id=name, next_run_time=self.work.clock())

    def _send_out(self) -> None:
        """Learn from what came back, and send sweeps out where sources are due and hands are free. Its fault is a row and an alarm."""
        if self.work.stop.is_set():
            return
        try:
            self.planner.learn()
            for name in session_pause.resuming(self.work, self._resumed, busy=self._out):
                self._out.add(name)
                again = partial(self._sweep, name, numbers=None)
                self.scheduler.add_job(again, id=f"resume:{name}", executor="sweeps", misfire_grace_time=None)
            free = self.work.settings.sweeps_at_once - len(self._out)
            for errand in self.planner.errands(busy=self._out | session_pause.paused(self.work), slots=free):
                self._out.add(errand.platform)
                numbers = [number for number, _ in errand.sources]
                self.scheduler.add_job(
                    partial(self._sweep, errand.platform, numbers=numbers), id=f"sweep:{errand.platform}", executor="sweeps",
                    replace_existing=True, misfire_grace_time=None,
                )  # fmt: skip
            self.planner.alarm_starved()
        except Exception as error:
            failure = error  # the name of an except clause ends with it

            def fail() -> jobs.Counts:
                raise failure

            jobs.recorded(self.work, "schedule", fail)
            self._failed = True
        else:
            if self._failed:
                jobs.recorded(self.work, "schedule", dict)
            self._failed = False

    def _refill(self, work: Work) -> jobs.Counts:
        new = schedule_errand.refill_all(work)
        return {"queries": new} if new else {}

    def _sweep(self, platform: str, *, numbers: Sequence[int] | None) -> None:
        """One sweep with its row in the patrol log; then the platform may be sent to again, as it asked."""
        self._out.add(platform)
        try:
            if self.work.stop.is_set():
                return

            def body() -> jobs.Counts:
                sweep_id, outcome = jobs.sweep(self.work, platform, numbers=numbers)
                if not sweep_id:
                    log.info("sweep platform=%s outcome=skipped", platform)
                    return {"sweep/skipped": 1}
                counts = schedule_errand.counts_of(self.work, sweep_id)
                self.planner.heed(platform, outcome=session_pause.heeded_as(outcome, counts), counts=counts)
                asked = {"sources": len(numbers)} if numbers is not None else {}
                return {"sweep": sweep_id, f"sweep/{outcome}": 1, **asked}

            jobs.recorded(self.work, f"sweep:{platform}", body)
        finally:
            self._out.discard(platform)

    def _reload(self, work: Work) -> jobs.Counts:
        """Take platform files that were added, mended, changed or broken since into the patrol, without a restart."""
        return {"changed": self._plan_sweeps()} if work.reload() else {}

    def _say_when_idle(self, patrols: bool) -> None:
        """A daemon that patrols nothing looks like one that finds nothing: it must say so."""
        now = self.work.clock()
        with self.work.store.write() as connection:
            if patrols:
                alarms.clear(connection, kind="zero_postings", subject="platforms", by="machine:platforms", now=now)
            else:
                text = "没有启用任何平台，巡查为空：在平台文件中写 enabled: true（见 wangxun platforms list）"
                alarms.raise_alarm(connection, kind="zero_postings", subject="platforms", text=text, now=now)

    def _plan_sweeps(self) -> int:
        """Let every enabled platform be patrolled and no other: how many were added, changed or taken out.

        One with `schedule: fixed` has a job of its own; the others are sent to by the schedule.
        """
        enabled = [one for one in self.work.platforms.values() if one.enabled]
        wanted: dict[str, tuple[str, float]] = {one.id: (one.schedule, float(one.every_s)) for one in enabled}
        self._say_when_idle(bool(wanted))
        changed = [name for name in self._planned.keys() | wanted.keys() if self._planned.get(name) != wanted.get(name)]
        for name in changed:
            if self._planned.get(name, ("", 0.0))[0] == "fixed" and self.scheduler.get_job(f"sweep:{name}"):
                self.scheduler.remove_job(f"sweep:{name}")
            if name in wanted and wanted[name][0] == "fixed":
                self._sweep_every(name, wanted[name][1])
        self._planned = wanted
        self.planner.sync()
        return len(changed)

    def _sweep_every(self, platform: str, every_s: float) -> None:
        seconds = max(5, round(every_s / self.pace))
        # Jitter keeps sites of one interval from being visited in the same second, as people would not either.
        trigger = IntervalTrigger(seconds=seconds, jitter=max(1, seconds // 10))
        # A restart goes on in the rhythm: a platform that was swept a minute ago is not due again because we were born anew.
        with self.work.store.read() as connection:
            last = runs.last_success(connection, job=f"sweep:{platform}")
        now = self.work.clock()
        due = min(last + timedelta(seconds=seconds), now + timedelta(seconds=seconds)) if last else now
        self.scheduler.add_job(
            partial(self._sweep, platform, numbers=None), trigger, id=f"sweep:{platform}", executor="sweeps",
            next_run_time=max(due, now), replace_existing=True,
        )  # fmt: skip

    def _log_gap(self) -> None:
        """Say in the patrol log which hours nobody patrolled, where the daemon was down."""
        now = self.work.clock()
        with self.work.store.write() as connection:
            for platform in self.work.platforms.values():
                last = runs.last_success(connection, job=f"sweep:{platform.id}")
                if platform.enabled and last and now - last > 2 * timedelta(seconds=platform.every_s / self.pace):
                    runs.missed(connection, job=f"sweep:{platform.id}", due_at=last, why="the daemon was down", now=now)

    def _on_trouble(self, event: Any) -> None:
        """A run that was missed, overlapped or broke is a row and an alarm, never silence."""
        overlap = event.code == EVENT_JOB_MAX_INSTANCES
        # A household job that is still at work when its next turn comes has missed nothing: it goes on until nothing waits.
        if event.job_id == "heartbeat" or (overlap and not event.job_id.startswith("sweep:")):
            return
        now = self.work.clock()
        due: datetime = event.scheduled_run_times[0] if overlap else event.scheduled_run_time
        why = "the run before had not ended" if overlap else str(getattr(event, "exception", None) or "the machine was late")
        why = why.partition("\n")[0]  # the database's library adds the statement and a link
        log.warning("job=%s missed=%s", event.job_id, why)
        try:
            with self.work.store.write() as connection:
                runs.missed(connection, job=event.job_id, due_at=due, why=why, now=now)
                if not overlap:
                    alarms.raise_alarm(
                        connection, kind="missed_run", subject=event.job_id, text=f"任务 {event.job_id} 漏跑：{why}", now=now
                    )
        except Exception as error:
            log.error("job=%s row=unwritten", event.job_id, exc_info=None if isinstance(error, PatrolError) else error)

    def _heartbeat(self) -> None:
        beat = {"pid": os.getpid(), "at": self.work.clock().isoformat()}
        path = self.work.settings.dir / "daemon.json"
        try:
            path.with_suffix(".new").write_text(json.dumps(beat), encoding="utf-8")
            path.with_suffix(".new").replace(path)
        except OSError as error:  # a full disk: the health check sees the old beat, and the disk itself
            log.error("heartbeat=unwritten why=%s", error)

    def drain(self) -> None:
        """No new run begins; those under way end politely; then `wait` returns. Safe to call twice and from a signal."""
        self.work.stop.set()
        self._finished.set()

    def look_at_clock(self, *, passed_s: float, since: datetime) -> bool:
        """Where the clock was set back since then, let every job run now instead of days from now: whether it was.

        `passed_s` are the seconds that truly passed since the clock showed `since`. A clock set forward needs nothing of this: late
        runs are run once and logged.
        """
        now = self.work.clock()
        if (now - since).total_seconds() - passed_s > -CLOCK_JUMP_S:
            return False
        log.warning("clock=set back from=%s to=%s jobs=due now", since.isoformat(), now.isoformat())
        for job in self.scheduler.get_jobs():
            job.modify(next_run_time=now)
        return True

    def wait(self) -> None:
        """Until `drain`; then end everything in order."""
        shown, moment = self.work.clock(), time.monotonic()
        while not self._finished.wait(CLOCK_LOOK_S):
            self.look_at_clock(passed_s=time.monotonic() - moment, since=shown)
            shown, moment = self.work.clock(), time.monotonic()
        log.info("daemon=draining")
        self.scheduler.shutdown(wait=True)
        (self.work.settings.dir / "daemon.json").unlink(missing_ok=True)
        if self._lock:
            self._lock.close()
        self.work.close()
        log.info("daemon=stopped")


def hold(settings: Settings) -> IO[str]:
    """The lock of the data folder, released when the process ends, however it ends. Raises AlreadyRunning."""
    settings.dir.mkdir(parents=True, exist_ok=True)
    path = settings.dir / "daemon.lock"
    try:
        handle = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise StoreFault(f"{path}: cannot be opened ({error.strerror}); check the folder's owner") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        raise AlreadyRunning(f"{path}: another daemon patrols this folder; stop it first, or give another WANGXUN_DIR") from error
    return handle


def drain_on_signals(daemon: Daemon) -> None:
    """SIGTERM and SIGINT drain; a second one ends at once."""

    def handle(number: int, _frame: object) -> None:
        if daemon.work.stop.is_set():
            os._exit(128 + number)
        daemon.drain()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
