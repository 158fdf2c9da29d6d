"""Intake: Scrapy's item pipeline. Harvests are kept in batches, in a thread, so that the reactor goes on fetching meanwhile.

A spider that fetches faster than the disk keeps waits here: the item that fills a batch waits until the batch is kept.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from domain.clock import Clock, utc_now
from domain.errors import DiskFull, PatrolError
from domain.model import Harvest
from domain.settings import Settings, load
from store import captures
from store.archive import Archive
from store.engine import Store, open_store
from store.sources import Whence, credit

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

log = logging.getLogger(__name__)

BATCH_PAGES = 50
BATCH_BYTES = 8_000_000
"""A batch ends at whichever comes first: one fsync and one commit for many pages, and a bounded memory."""
FLUSH_S = 2.0
"""A slow site's pages wait no longer for their batch to fill: the first hit must not wait for the fiftieth page."""
BROKEN_IN_A_ROW = 5
"""Single pages that cannot be kept, one after another, after which the store itself must be broken."""

_ENDED = {
    "disk_full": "disk_full",
    "store_broken": "failed",
    "shutdown": "killed",
    "cancelled": "failed",
    "closespider_timeout": "timed_out",
    "memusage_exceeded": "too_big",
}
"""Scrapy's and our own reasons to close a spider, where they alone decide the outcome."""


def outcome_of(counts: Mapping[str, Any], finish_reason: str, *, purpose: str = "patrol") -> str:
    """How a sweep ended, as `sweeps.outcome` carries it, from its `sweep/...` counts and the reason that Scrapy gives.

    `sweep/outcome`, where the spider's own monitors wrote one, goes before what the counts suggest. A recheck that finds its page
    gone has found out what it wanted: ok, not empty.
    """

    def count(*names: str) -> int:
        return sum(int(counts.get(f"sweep/{name}", 0) or 0) for name in names)

    said = str(counts.get("sweep/outcome") or "")
    if finish_reason in _ENDED:
        found = _ENDED[finish_reason]
    elif said and said != "running":
        found = said
    elif count("postings"):
        found = "drifted" if count("drift") >= max(1, count("pages")) else "ok"
    elif count("blocked", "login_wall"):
        found = "walled"
    elif count("drift"):
        found = "drifted"
    elif count("errors", "refused", "unkept") and not count("pages"):
        found = "failed"
    else:
        found = "empty"
    return "ok" if purpose != "patrol" and found == "empty" and count("pages", "not_found") else found


class IntakePipeline:
    """Keeps every Harvest of one sweep; any other item passes through.

    The sweep is the spider's `sweep_id` (or `sweep`); where it has none, one is begun here. At the end the sweep's row gets its
    outcome and its counts, unless the database itself is what failed: then the daemon closes the row.
    """

    def __init__(self, crawler: Crawler, *, settings: Settings, clock: Clock = utc_now) -> None:
        self._crawler, self._settings, self._clock = crawler, settings, clock
        self._store: Store | None = None
        self._archive = Archive(settings.archive_dir)
        self._sweep_id, self._purpose = 0, "patrol"
        self._waiting: list[Harvest] = []
        self._bytes = 0
        self._lock = asyncio.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="intake")
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._broken_in_a_row = 0
        self._fault = ""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> IntakePipeline:
        """Settings are read here, where the sweep's process starts. Raises SettingFault."""
        from scrapy import signals  # only a sweep's process has it loaded

        intake = cls(crawler, settings=load())
        crawler.signals.connect(intake.spider_closed, signal=signals.spider_closed)
        return intake

    def open_spider(self) -> None:
        """Open the store and take, or begin, the sweep. Raises StoreFault."""
        spider: Any = self._crawler.spider
        self._store = open_store(self._settings)
        self._sweep_id = int(getattr(spider, "sweep_id", 0) or getattr(spider, "sweep", 0) or 0)
        with self._store.write() as connection:
            if self._sweep_id:
                self._purpose = str(captures.sweep(connection, self._sweep_id)["purpose"])
                captures.set_pid(connection, self._sweep_id, pid=os.getpid())
                spider.counted_before = captures.counted_before(connection, self._sweep_id)
            else:
                platform = getattr(spider.platform, "id", spider.platform)
                self._purpose = "recheck" if getattr(spider, "visit", None) else "patrol"
                self._sweep_id = captures.begin_sweep(
                    connection, platform=str(platform), purpose=self._purpose, at=self._clock(), pid=os.getpid()
                )

    async def process_item(self, item: Any) -> Any:
        """Take a Harvest in; returns the item. Waits where it fills a batch."""
        if not isinstance(item, Harvest):
            return item
        if self._fault:
            self._count("unkept", 1)
            return item
        self._waiting.append(item)
        self._bytes += len(item.body)
        if len(self._waiting) >= BATCH_PAGES or self._bytes >= BATCH_BYTES:
            await self._flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self._flush_soon)
        return item

    async def close_spider(self) -> None:
        """Keep what still waits."""
        await self._flush()
        self._thread.shutdown()
        self._archive.close()

    def spider_closed(self, spider: Any, reason: str) -> None:
        """Write the sweep's outcome and counts. Called after the monitors, which were connected before."""
        store = self._store
        if store is None:
            return
        assert self._crawler.stats is not None
        counts = {name: value for name, value in self._crawler.stats.get_stats().items() if name.startswith("sweep/")}
        outcome = outcome_of(counts, self._fault or reason, purpose=self._purpose)
        why = str(counts.get("sweep/why") or ("" if reason == "finished" else reason))
        numbers = {name: value for name, value in counts.items() if isinstance(value, int)}
        try:
            with store.write() as connection:
                captures.end_sweep(connection, self._sweep_id, outcome=outcome, why=why, counts=numbers, at=self._clock())
            self._credit(store, spider)
        except Exception:
            log.error("sweep=%d outcome=%s row=unwritten", self._sweep_id, outcome, exc_info=True)
        finally:
            store.close()

    def _credit(self, store: Store, spider: Any) -> None:
        """Tell the schedule what each source brought. In a transaction of its own: the sweep's end must not depend on it."""
        asked = getattr(spider, "whence", None)
        if not asked or self._purpose != "patrol":
            return
        of = {
            url: Whence(source_id=one.source, query_id=one.query, entry=one.entry, origin=one.origin) for url, one in asked.items()
        }  # fmt: skip
        with store.write() as connection:
            credit(connection, self._sweep_id, of=of)

    def _flush_soon(self) -> None:
        self._timer = None
        self._spawn(self._flush())

    async def _flush(self) -> None:
        """Keep what waits, batch by batch. Whoever comes while a batch is being kept waits for it: the back-pressure."""
        async with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            while self._waiting and not self._fault:
                batch, self._waiting = self._waiting[:BATCH_PAGES], self._waiting[BATCH_PAGES:]
                self._bytes = sum(len(one.body) for one in self._waiting)
                await self._keep(batch)
            if self._fault and self._waiting:
                self._count("unkept", len(self._waiting))
                self._waiting.clear()

    async def _keep(self, batch: list[Harvest]) -> None:
        """Keep a batch; where it breaks, page by page, so that one page never costs the others."""
        try:
            await self._keep_one_go(batch)
            return
        except DiskFull as error:
            self._end("disk_full", str(error), unkept=len(batch))
            return
        except Exception as error:
            log.warning("sweep=%d pages=%d unkept=yes, going one by one", self._sweep_id, len(batch), exc_info=error)
        for index, harvest in enumerate(batch):
            try:
                await self._keep_one_go([harvest])
            except DiskFull as error:
                self._end("disk_full", str(error), unkept=len(batch) - index)
                return
            except Exception as error:
                level = logging.WARNING if isinstance(error, PatrolError) else logging.ERROR
                log.log(level, "sweep=%d url=%s unkept=%s", self._sweep_id, harvest.capture.url[:200], error)
                self._count("errors", 1)
                self._count("unkept", 1)
                self._broken_in_a_row += 1
                if self._broken_in_a_row >= BROKEN_IN_A_ROW:
                    self._end("store_broken", f"{type(error).__name__}: {error}", unkept=len(batch) - index - 1)
                    return

    async def _keep_one_go(self, batch: list[Harvest]) -> None:
        store = self._store
        assert store is not None
        loop = asyncio.get_running_loop()
        kept = await loop.run_in_executor(self._thread, lambda: captures.keep(store, batch, sweep_id=self._sweep_id, archive=self._archive))
        self._broken_in_a_row = 0
        for name, value in (("kept", kept.captures), ("new", kept.new), ("seen", kept.seen), ("cleaned", kept.cleaned)):
            self._count(name, value)

    def _end(self, fault: str, why: str, *, unkept: int) -> None:
        """Close the spider: what it fetches from here on could not be kept."""
        self._fault = fault
        self._count("unkept", unkept)
        stats, engine = self._crawler.stats, self._crawler.engine
        assert stats is not None
        stats.set_value("sweep/outcome", _ENDED[fault])
        stats.set_value("sweep/why", why[:500])
        log.error("sweep=%d ended=%s why=%s", self._sweep_id, fault, why)
        if engine is not None:
            # Not awaited: closing waits for this very item.
            self._spawn(engine.close_spider_async(reason=fault))

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _count(self, name: str, by: int) -> None:
        assert self._crawler.stats is not None
        if by:
            self._crawler.stats.inc_value(f"sweep/{name}", by)
