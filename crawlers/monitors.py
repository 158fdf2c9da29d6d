"""Watches one sweep: its time, what it counts, and the outcome it ends with."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler

log = logging.getLogger(__name__)

COUNTED = (
    "sweep/pages", "sweep/postings", "sweep/images", "sweep/blocked", "sweep/login_wall", "sweep/refused", "sweep/errors", "sweep/drift",
    "sweep/too_big", "sweep/not_html", "sweep/trap", "sweep/over_budget", "sweep/robots", "sweep/misdeclared", "sweep/cut_short",
    "sweep/timed_out", "sweep/asked_to_wait", "sweep/come_again_s", "sweep/crawl_delay_s", "sweep/promoted", "sweep/not_found",
    "sweep/general", "sweep/bad_status", "sweep/read", "sweep/kept_walls", "sweep/videos",
)  # fmt: skip
"""Every sweep count of this room; docs/platforms.md names them."""


def outcome(stats: Mapping[str, Any]) -> tuple[str, str]:
    """How a sweep ended, for `sweeps.outcome`, and why, from its counts alone.

    disk_full and timed_out where somebody set `sweep/outcome` so; else walled, drifted, failed (nothing but errors), empty, ok.
    """

    def count(name: str) -> int:
        return int(stats.get(f"sweep/{name}", 0) or 0)

    why = str(stats.get("sweep/why", ""))
    if stats.get("sweep/outcome") in ("disk_full", "timed_out", "killed", "failed", "too_big"):
        return str(stats["sweep/outcome"]), why
    if count("blocked") or count("login_wall"):
        return "walled", why or "the site answers with a wall"
    pages, faults = count("pages"), count("errors") + count("refused") + count("too_big") + count("timed_out")
    if faults and not count("postings") and pages <= count("bad_status"):
        return "failed", why or f"{faults} requests failed, no page came"
    if count("drift") and count("drift") * 2 >= max(1, count("read")):
        return "drifted", why or f"{count('drift')} of {count('read')} pages do not fit their selectors"
    if not count("postings"):
        return "empty", why or ("robots.txt forbids it" if count("robots") and not pages else "no posting was found")
    return "ok", why


class SweepMonitor:
    """Ends a sweep when its seconds are spent, and writes its outcome into the counts when it falls idle."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> SweepMonitor:
        monitor = cls(crawler)
        crawler.signals.connect(monitor.opened, signals.spider_opened)
        crawler.signals.connect(monitor.idle, signals.spider_idle)
        crawler.signals.connect(monitor.faulty, signals.spider_error)
        crawler.signals.connect(monitor.closed, signals.spider_closed)
        return monitor

    def opened(self, spider: Any) -> None:
        seconds = float(spider.platform.budget.seconds)
        self._timer = asyncio.get_running_loop().call_later(seconds, self._spent)

    def _spent(self) -> None:
        stats = self._crawler.stats
        assert stats is not None
        stats.inc_value("sweep/over_budget")
        self.idle(self._crawler.spider)
        engine = self._crawler.engine
        if engine is not None and engine.spider is not None:
            self._closing = asyncio.get_running_loop().create_task(engine.close_spider_async(reason="budget"))

    def faulty(self, failure: Any, response: Any, spider: Any) -> None:
        """A page on which our own code failed: counted as an error, and the sweep goes on."""
        assert self._crawler.stats is not None
        self._crawler.stats.inc_value("sweep/errors")

    def idle(self, spider: Any) -> None:
        stats = self._crawler.stats
        assert stats is not None
        found, why = outcome(stats.get_stats())
        stats.set_value("sweep/outcome", found)
        stats.set_value("sweep/why", why)

    def closed(self, spider: Any, reason: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.idle(spider)
        stats = self._crawler.stats
        assert stats is not None
        counts = " ".join(f"{name}={stats.get_value(name)}" for name in COUNTED if stats.get_value(name))
        log.info("sweep platform=%s outcome=%s reason=%s %s", spider.platform.id, stats.get_value("sweep/outcome"), reason, counts)
