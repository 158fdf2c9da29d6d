"""What every job needs, opened once a process."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from classifiers.bench import Bench
from classifiers.fusion import Judge
from classifiers.promotion import home_of
from classifiers.shadow import Shadow
from crawlers.loader import load_sound, platform_folders
from crawlers.platform import PlatformFile
from domain.clock import Clock, utc_now
from domain.settings import Settings
from pipelines.channels import base as channel_base
from pipelines.channels.registry import configured
from store import alarms, audit, migrate
from store.engine import Store, open_store

log = logging.getLogger(__name__)
FILES = "platform_files"
"""Subject of the alarm for faulty platform files."""
FAULTS = {"neural": "model", "candidate": "model", "pack": "rules"}
"""What of the judge may be broken -> kind of its alarm."""


@dataclass(slots=True, kw_only=True)
class Work:
    """The store, the judge, the channels and the platforms of one process, and the event that asks it to stop."""

    store: Store
    settings: Settings
    channels: Mapping[str, channel_base.Channel]
    platforms: Mapping[str, PlatformFile] = field(default_factory=dict)
    clock: Clock = utc_now
    stop: threading.Event = field(default_factory=threading.Event)
    unended: list[Callable[[Connection], None]] = field(default_factory=list)
    """Ends of runs that could not be written yet."""
    _bench: Bench | None = None
    _judge_lock: threading.Lock = field(default_factory=threading.Lock)
    _files: tuple[tuple[str, int, int], ...] | None = None

    @property
    def judge(self) -> Judge:
        """Loaded at first use, and again where its weights or, looked at once a minute, its rules changed.

        Missing or altered weights are an alarm, and keyword-only judging or the weights before them; never a crash.
        """
        return self._seated().judge

    @property
    def shadow(self) -> Shadow | None:
        """The candidate that judges beside, where one is set; see `judge`."""
        return self._seated().shadow

    def _seated(self) -> Bench:
        with self._judge_lock:
            settings = self.settings
            bench, first = self._bench, self._bench is None
            if bench is None:
                bench = Bench(
                    home=home_of(settings.dir),
                    rules_dir=settings.rules_dir,
                    weights_dir=settings.weights_dir,
                    candidate_dir=settings.candidate_dir,
                    inference=settings.inference,
                )
            was = None if first else bench.judge
            if bench.renew(self.clock()):
                self._tell(bench, was=was)
            self._bench = bench
            return bench

    def _tell(self, bench: Bench, *, was: Judge | None) -> None:
        """Alarms for what is broken, none for what is mended, and an audit row where another judge sits now."""
        now, judge = self.clock(), bench.judge
        with self.store.write() as connection:
            if was is not None and (was.model, was.ruleset.digest) != (judge.model, judge.ruleset.digest):
                log.info("judge=renewed model=%s rules=%s", judge.model, judge.ruleset.digest)
                detail = {"model": [was.model, judge.model], "rules": [was.ruleset.digest, judge.ruleset.digest]}
                audit.append(connection, actor="machine:judge", action="judge.renew", subject="judge", at=now, detail=detail)
            for subject, kind in FAULTS.items():
                fault = bench.faults.get(subject)
                if fault:
                    log.error("judge=%s why=%s", "degraded" if subject == "neural" else "kept", fault)
                    if kind == "rules":
                        alarms.raise_alarm(connection, kind="rules", subject=subject, text=fault[:1000], now=now)
                    else:
                        alarms.raise_alarm(connection, kind="model", subject=subject, text=fault[:1000], now=now)
                else:
                    alarms.clear(connection, kind=kind, subject=subject, by="machine:judge", now=now)

    def reload(self) -> bool:
        """Read the platform files, where one was changed since they were read last: whether one was.

        A platform with a faulty file is left out, with an alarm that names the faults; the others are patrolled.
        """
        folders = platform_folders(self.settings)
        files = tuple(_mark(path) for folder in folders for path in sorted(folder.glob("*.yml")))
        if files == self._files:
            return False
        self.platforms, faults = load_sound(folders)
        named = "；".join(str(fault) for fault in faults[:5])
        with self.store.write() as connection:
            if faults:
                log.error("platforms=faulty faults=%d %s", len(faults), named)
                text = f"平台文件有 {len(faults)} 处错误，相关平台暂停巡查，其余照常（wangxun platforms check）：{named}"
                alarms.raise_alarm(connection, kind="dead_job", subject=FILES, text=text, now=self.clock())
            else:
                alarms.clear(connection, kind="dead_job", subject=FILES, by="machine:platforms", now=self.clock())
        self._files = files
        return True

    def free_mb(self) -> float:
        """Free space where the data lies, in MB."""
        return shutil.disk_usage(self.settings.dir).free / 1e6

    def close(self) -> None:
        self.stop.set()
        self.store.close()


def _mark(path: Path) -> tuple[str, int, int]:
    try:
        about = path.stat()
    except OSError:  # gone in between, or a link to nothing: reading it names the fault
        return str(path), 0, 0
    return str(path), about.st_mtime_ns, about.st_size


def create_if_new(settings: Settings) -> None:
    """Create the database where there is none. One of an older version is left for `wangxun db upgrade`: a person backs up first."""
    store = open_store(settings, check_version=False)
    try:
        if migrate.current(store) is None:
            migrate.upgrade(store)
    finally:
        store.close()


def open_work(settings: Settings, *, clock: Clock = utc_now) -> Work:
    """Everything that jobs need. Raises StoreFault for a store of another version; faulty platform files are an alarm."""
    create_if_new(settings)
    work = Work(store=open_store(settings), settings=settings, channels=configured(settings), clock=clock)
    work.reload()
    return work
