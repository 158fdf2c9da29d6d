"""The jobs of the daemon, each an ordinary function that the command line and the tests call too.

A job writes its row in `runs` (the proof of patrol) and returns its counts. A broad except stands at this edge and only here.
"""

from __future__ import annotations

import logging
import shutil
import socket
import uuid
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import psutil
from sqlalchemy import Connection

from domain.errors import PatrolError
from patrol import process, schedule_errand, session_pause
from patrol.work import Work
from pipelines import assess, dispatch, link, read, recheck, refer, report
from store import alarms, captures, hits, leases, retention, runs, sources
from store.archive import Archive
from store.engine import worker_name

log = logging.getLogger(__name__)
Counts = dict[str, int]

ALARM_OF = {
    "empty": ("zero_postings", "一条内容也没有取到：页面可能改版，或列表为空"),
    "drifted": ("drift", "字段取不到：页面可能改版，请核对平台文件的选择器"),
    "walled": ("wall", "遇到验证码或登录墙：已停止，不作绕过"),
    "failed": ("dead_job", "巡查失败"),
    "killed": ("dead_job", "巡查进程被终止"),
    "timed_out": ("dead_job", "巡查超时，已终止"),
    "too_big": ("dead_job", "巡查占用内存过大，已终止"),
    "disk_full": ("disk", "磁盘已满：取证无法保存"),
}
"""Sweep outcome -> (alarm kind, what an officer reads)."""
PICTURES = 8
"""Read between two looks at the texts that came meanwhile: some ten seconds at the most."""
STARTING = timedelta(minutes=2)
"""From a sweep's row to its process's number: a moment, or as long as a writer waits for the database."""
FAULTY = ("zero_postings", "drift", "wall", "dead_job", "disk")


def recorded(work: Work, job: str, body: Callable[[], Counts], *, due_at: datetime | None = None) -> Counts:
    """Run `body` with a row in `runs`. A fault is logged, alarmed and counted, and the daemon goes on.

    Where the row's end cannot be written (a full disk, a locked database), it is written before the next run of any job.
    """
    waiting = list(work.unended)
    with work.store.write() as connection:
        for end in waiting:
            end(connection)
        run_id = runs.begin_run(connection, job=job, due_at=due_at, now=work.clock())
    for end in waiting:
        with suppress(ValueError):  # another job's thread was as quick; a row is ended once
            work.unended.remove(end)
    outcome, why, counts = "ok", "", {}
    try:
        counts = body()
    except Exception as error:
        outcome, why = "failed", f"{type(error).__name__}: {error}"
        if isinstance(error, PatrolError):  # its message says all
            log.warning("job=%s outcome=failed why=%s", job, why)
        else:
            log.error("job=%s outcome=failed", job, exc_info=error)
    end = partial(_end_run, job=job, run_id=run_id, outcome=outcome, why=why, counts=counts, now=work.clock())
    try:
        with work.store.write() as connection:
            end(connection)
    except Exception as error:
        work.unended.append(end)
        log.error("job=%s row=unended why=%s: %s", job, type(error).__name__, error)
    return counts


def _end_run(connection: Connection, *, job: str, run_id: int, outcome: str, why: str, counts: Counts, now: datetime) -> None:
    """Close a run's row, and raise or clear the alarms of its job."""
    runs.end_run(connection, run_id, outcome=outcome, why=why[:500], counts=counts, now=now)
    if outcome == "failed":
        alarms.raise_alarm(connection, kind="dead_job", subject=job, text=f"任务 {job} 失败：{why[:300]}", now=now)
    else:  # a faulty sweep has its own alarm, under its platform
        for kind in ("dead_job", "missed_run"):
            alarms.clear(connection, kind=kind, subject=job, by=f"machine:{job}", now=now)


def sweep(
    work: Work, platform: str, *, purpose: str = "patrol", visit: Path | None = None, numbers: Collection[int] | None = None
) -> tuple[int, str]:
    """One sweep over one platform in a process of its own: (sweep id, outcome). (0, "skipped") where it may not begin.

    A patrol goes over the sources with these `numbers`, without them over all; a recheck over the pages of the file `visit`.

    It may not begin while another sweep of the platform runs, or while less than `disk_min_mb` is free.
    """
    now, settings = work.clock(), work.settings
    with work.store.write() as connection:
        if work.free_mb() < settings.disk_min_mb:
            text = f"磁盘可用空间不足 {settings.disk_min_mb} MB：巡查暂停，请清理或扩容"
            alarms.raise_alarm(connection, kind="disk", subject=str(settings.dir), text=text, now=now)
            return 0, "skipped"
        alarms.clear(connection, kind="disk", subject=str(settings.dir), by="machine:sweep", now=now)
        if session_pause.held(work, connection, platform):
            return 0, "skipped"
        for row in captures.running_sweeps(connection, platform=platform):
            # A row without a number is a sweep that is being started just now, or one whose start nobody could note.
            starting = row["pid"] is None and abs(now - row["began_at"]) < STARTING
            if starting or process.is_spider(row["pid"]):
                return 0, "skipped"
            captures.end_sweep(connection, row["id"], outcome="killed", why="its process is gone", counts=None, at=now)
        sweep_id = captures.begin_sweep(connection, platform=platform, purpose=purpose, at=now, pid=None)

    log_path = settings.dir / "logs" / f"sweep-{platform}.log"
    try:
        _rotate(log_path)
        with schedule_errand.errand_file(work, platform, numbers=numbers) if visit is None else nullcontext() as begins:
            if begins is not None and not begins.stat().st_size:
                return _nothing_to_ask(work, sweep_id, platform, numbers=numbers)
            ended = process.run(
                process.command(platform, sweep_id=sweep_id, visit=visit, sources=begins),
                settings=settings, log_path=log_path, stop=work.stop, started=partial(_note_pid, work, sweep_id),
            )  # fmt: skip
    except Exception as error:
        _close_unstarted(work, sweep_id, why=f"{type(error).__name__}: {error}")
        raise
    return sweep_id, _settle_sweep(work, platform, sweep_id=sweep_id, ended=ended)


def _nothing_to_ask(work: Work, sweep_id: int, platform: str, *, numbers: Collection[int] | None) -> tuple[int, str]:
    """End a sweep whose every query was asked within its window: no fault, and its sources wait before they are looked at again."""
    with work.store.write() as connection:
        captures.end_sweep(connection, sweep_id, outcome="ok", why="every query was asked within its window", counts={}, at=work.clock())
        due = [row for row in sources.of_platform(connection, platform) if numbers is None or row["id"] in numbers]
        sources.credit(connection, sweep_id, of={row["url"]: sources.Whence(source_id=row["id"], entry=True) for row in due})
    return sweep_id, "ok"


def _note_pid(work: Work, sweep_id: int, pid: int) -> None:
    with work.store.write() as connection:
        captures.set_pid(connection, sweep_id, pid=pid)


def _close_unstarted(work: Work, sweep_id: int, *, why: str) -> None:
    """End the row of a sweep whose process could not be started or watched, lest it pass for one that runs."""
    try:
        with work.store.write() as connection:
            if captures.sweep(connection, sweep_id)["outcome"] == "running":
                captures.end_sweep(connection, sweep_id, outcome="failed", why=why, counts=None, at=work.clock())
    except Exception as error:  # the store is what fails: the next sweep of the platform closes the row
        log.error("sweep=%s row=unwritten", sweep_id, exc_info=error)


def _settle_sweep(work: Work, platform: str, *, sweep_id: int, ended: process.Ended) -> str:
    """Close the sweep's row where the child could not, and raise or clear its alarms."""
    with work.store.write() as connection:
        row = captures.sweep(connection, sweep_id)
        outcome = str(row["outcome"])
        if outcome == "running" or ended.why in ("timed_out", "too_big"):
            outcome = {"timed_out": "timed_out", "too_big": "too_big", "drained": "killed", "crashed": "failed", "": "failed"}[ended.why]
            why = "drained: the daemon was asked to stop" if ended.why == "drained" else f"{ended.why or 'ended early'}, code {ended.code}"
            captures.end_sweep(connection, sweep_id, outcome=outcome, why=why, counts=None, at=work.clock())
        paused = session_pause.held(work, connection, platform)
        if ended.why == "drained":
            return outcome
        subject = f"platform:{platform}"
        raised = None if paused and outcome == "walled" else ALARM_OF.get(outcome)  # its own alarm says what to do
        for kind in FAULTY:
            if not raised or raised[0] != kind:
                alarms.clear(connection, kind=kind, subject=subject, by="machine:sweep", now=work.clock())
        if raised:
            detail = str(row["why"] or (ended.tail.rpartition("\n")[2] if ended.why == "crashed" else ended.why))[:300]
            alarms.raise_alarm(connection, kind=raised[0], subject=subject, text=f"{platform}：{raised[1]}。{detail}", now=work.clock())
    log.info("sweep=%s platform=%s outcome=%s peak_mb=%.0f", sweep_id, platform, outcome, ended.peak_mb)
    return outcome


def _rotate(path: Path, *, limit: int = 5_000_000) -> None:
    """Keep one older log, so that the folder stays bounded."""
    if path.is_file() and path.stat().st_size > limit:
        shutil.move(path, path.with_suffix(".log.1"))


def judge(work: Work) -> Counts:
    """Judge what waits, read pictures, judge what they say, tie campaigns. Pictures come second: reading one takes a second."""
    pictures = assessed = opened = tied = 0
    while True:
        done = assess.assess_all(
            work.store,
            lambda: work.judge,
            now=work.clock,
            worker=worker_name(),
            stop=work.stop.is_set,
            shadow=lambda: work.shadow,
        )
        assessed, opened = assessed + done.assessed, opened + done.hits
        tied += link.link_new(work.store, now=work.clock()) if done.hits else 0
        found = 0 if work.stop.is_set() else read.read_waiting(work.store, now=work.clock(), worker=worker_name(), limit=PICTURES)
        pictures += found
        # Once more after texts too: postings whose pictures were never fetched can be judged only now.
        if work.stop.is_set() or not (found or done.assessed):
            break
    return {"pictures": pictures, "assessed": assessed, "hits": opened, "tied": tied + link.link_new(work.store, now=work.clock())}


def deliver(work: Work) -> Counts:
    """Send what a person has approved."""
    done = dispatch.dispatch_due(work.store, work.channels, now=work.clock(), worker=worker_name(), limit=50)
    return {"delivered": done.delivered, "retried": done.retried, "dead": done.dead, "uncertain": done.uncertain}


def feedback(work: Work) -> Counts:
    """Ask the receiving units how each lead stands, and alarm for those past one of their clocks."""
    counts = refer.poll_feedback(work.store, settings=work.settings, now=work.clock())
    return {**counts, "overdue": refer.overdue(work.store, now=work.clock())}


def verify_notices(work: Work) -> Counts:
    """Fetch again what publishers were warned about, and settle each notice by what stands there now."""
    counts: Counts = {}
    due = recheck.due(work.store, now=work.clock())
    by_platform = {name: [item for item in due if item.platform == name] for name in sorted({item.platform for item in due})}
    for name in [name for name in by_platform if name not in work.platforms]:
        counts["recheck/no_platform"] = counts.get("recheck/no_platform", 0) + len(by_platform.pop(name))
    if not by_platform:
        return counts
    with ThreadPoolExecutor(work.settings.sweeps_at_once) as pool:
        swept = list(pool.map(lambda name: _visit(work, name, by_platform[name]), by_platform))
    judge(work)
    for name, sweep_id in zip(by_platform, swept, strict=True):
        for item in by_platform[name] if sweep_id else ():
            result = recheck.settle(work.store, item.notice_id, sweep_id=sweep_id, now=work.clock())
            counts[f"recheck/{result}"] = counts.get(f"recheck/{result}", 0) + 1
    return counts


def _visit(work: Work, platform: str, items: Sequence[recheck.Due]) -> int:
    """Fetch these pages again: the sweep's id, 0 where it could not begin."""
    visit = work.settings.dir / "visits" / f"{platform}-{uuid.uuid4().hex}.jsonl"
    recheck.write_visits(visit, items)
    try:
        return sweep(work, platform, purpose="recheck", visit=visit)[0]
    finally:
        visit.unlink(missing_ok=True)


def tidy(work: Work) -> Counts:
    """Drop what retention says, free lapsed claims, and count what fell between two stages."""
    now = work.clock()
    lapsed = hits.lapse_claims(work.store, now=now)
    dropped = retention.apply(work.store, Archive(work.settings.archive_dir), now=now)
    lost = report.reconcile(work.store, now=now)
    with work.store.write() as connection:
        for name, ids in lost.by_kind().items():
            if ids:
                text = f"{name}：{len(ids)} 项在两个环节之间停留，例如 {ids[:5]}"
                alarms.raise_alarm(connection, kind="lease", subject=name, text=text, now=now)
            else:
                alarms.clear(connection, kind="lease", subject=name, by="machine:tidy", now=now)
    return {"lapsed": lapsed, "dropped": dropped, "lost": lost.lost}


def recover(work: Work) -> Counts:
    """After a crash: end the spiders that a killed daemon left behind, close their rows, free what its workers held."""
    ended = 0
    with work.store.read() as connection:
        rows = captures.running_sweeps(connection, platform=None)
    for row in rows:
        if process.is_spider(row["pid"]):
            process.end(row["pid"])
        with work.store.write() as connection:
            if captures.sweep(connection, row["id"])["outcome"] == "running":
                captures.end_sweep(connection, row["id"], outcome="killed", why="the daemon was killed", counts=None, at=work.clock())
                ended += 1
    with work.store.write() as connection:
        closed = runs.close_orphans(connection, now=work.clock())
        freed = leases.let_go(connection, host=socket.gethostname(), alive=psutil.pid_exists, now=work.clock())
    schedule_errand.clear_left(work)
    return {"sweeps": ended, "runs": closed, "leases": freed}
