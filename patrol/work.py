"""What every job needs, opened once a process."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from classifiers.fusion import Judge, load_judge
from crawlers.loader import load_platforms, platform_folders
from crawlers.platform import PlatformFile
from domain.clock import Clock, utc_now
from domain.settings import Settings
from pipelines.channels import base as channel_base
from pipelines.channels.registry import configured
from store import alarms, migrate
from store.engine import Store, open_store

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Work:
    """The store, the judge, the channels and the platforms of one process, and the event that asks it to stop."""

    store: Store
    settings: Settings
    platforms: Mapping[str, PlatformFile]
    channels: Mapping[str, channel_base.Channel]
    clock: Clock = utc_now
    stop: threading.Event = field(default_factory=threading.Event)
    _judge: Judge | None = None
    _judge_lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def judge(self) -> Judge:
        """Loaded at first use; missing or altered weights are an alarm and keyword-only judging, never a crash."""
        with self._judge_lock:
            if self._judge is None:
                self._judge, faults = load_judge(rules_dir=self.settings.rules_dir, weights_dir=self.settings.weights_dir)
                with self.store.write() as connection:
                    for fault in faults:
                        log.error("judge=degraded why=%s", fault)
                        alarms.raise_alarm(connection, kind="model", subject="neural", text=fault, now=self.clock())
                    if not faults:
                        alarms.clear(connection, kind="model", subject="neural", by="machine:judge", now=self.clock())
            return self._judge

    def free_mb(self) -> float:
        """Free space where the data lies, in MB."""
        return shutil.disk_usage(self.settings.dir).free / 1e6

    def close(self) -> None:
        self.stop.set()
        self.store.close()


def create_if_new(settings: Settings) -> None:
    """Create the database where there is none. One of an older version is left for `wangxun db upgrade`: a person backs up first."""
    store = open_store(settings, check_version=False)
    try:
        if migrate.current(store) is None:
            migrate.upgrade(store)
    finally:
        store.close()


def open_work(settings: Settings, *, clock: Clock = utc_now) -> Work:
    """Everything that jobs need. Raises ConfigFault for faulty platforms, StoreFault for a store of another version."""
    create_if_new(settings)
    platforms = load_platforms(platform_folders(settings))
    return Work(store=open_store(settings), settings=settings, platforms=platforms, channels=configured(settings), clock=clock)
