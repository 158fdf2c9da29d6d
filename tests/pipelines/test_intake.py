"""Intake inside a real Scrapy process over a real loopback site, and its parts alone."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import func, select

from domain.settings import Settings
from pipelines import intake
from pipelines.intake import IntakePipeline, outcome_of
from store import captures, tables
from store.archive import Archive
from store.engine import Store
from tests.conftest import MakeHarvest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("counts", "reason", "outcome"),
    [
        ({"pages": 3, "postings": 40}, "finished", "ok"),
        ({"pages": 3, "postings": 40, "blocked": 1}, "finished", "ok"),
        ({"pages": 3}, "finished", "empty"),
        ({}, "finished", "empty"),
        ({"blocked": 2}, "finished", "walled"),
        ({"pages": 1, "login_wall": 1}, "finished", "walled"),
        ({"pages": 3, "drift": 3}, "finished", "drifted"),
        ({"pages": 3, "drift": 3, "postings": 9}, "finished", "drifted"),
        ({"pages": 3, "drift": 1, "postings": 9}, "finished", "ok"),
        ({"errors": 4}, "finished", "failed"),
        ({"pages": 3, "postings": 40}, "disk_full", "disk_full"),
        ({"pages": 3, "postings": 40}, "shutdown", "killed"),
        ({"pages": 3, "postings": 40}, "closespider_timeout", "timed_out"),
        ({"pages": 3, "postings": 40}, "memusage_exceeded", "too_big"),
        ({"pages": 3, "postings": 40, "outcome": "walled"}, "walled", "walled"),
        ({"pages": 3, "postings": 40, "outcome": "ok"}, "budget", "ok"),
    ],
)
def test_outcome_follows_counts_and_reason(counts: dict[str, object], reason: str, outcome: str) -> None:
    assert outcome_of({f"sweep/{name}": value for name, value in counts.items()}, reason) == outcome


def test_a_recheck_that_finds_its_page_gone_is_ok() -> None:
    assert outcome_of({"sweep/pages": 1}, "finished", purpose="recheck") == "ok"
    assert outcome_of({"sweep/not_found": 1}, "finished", purpose="recheck") == "ok"
    assert outcome_of({"sweep/blocked": 1}, "finished", purpose="recheck") == "walled"


class Counts(dict[str, Any]):
    """The part of Scrapy's stats collector that intake uses."""

    kept = asyncio.Event()

    def inc_value(self, name: str, by: int) -> None:
        self[name] = self.get(name, 0) + by
        if name == "sweep/kept":
            self.kept.set()

    def set_value(self, name: str, value: object) -> None:
        self[name] = value

    def get_stats(self) -> dict[str, Any]:
        return self


class Engine:
    def __init__(self) -> None:
        self.reasons: list[str] = []

    async def close_spider_async(self, *, reason: str) -> None:
        self.reasons.append(reason)


def pipeline(settings: Settings) -> tuple[IntakePipeline, Any]:
    spider = SimpleNamespace(platform=SimpleNamespace(id="forum"), sweep_id=0)
    crawler: Any = SimpleNamespace(spider=spider, stats=Counts(), engine=Engine())
    return IntakePipeline(crawler, settings=settings), crawler


def run(settings: Settings, harvests: list[Any], *, at_once: int = 1000) -> Any:
    """Feed a pipeline as Scrapy does, `at_once` items side by side: the crawler after its close."""
    made, crawler = pipeline(settings)

    async def feed() -> None:
        made.open_spider()
        for start in range(0, len(harvests), at_once):
            await asyncio.gather(*(made.process_item(one) for one in harvests[start : start + at_once]))
        await made.close_spider()
        made.spider_closed(crawler.spider, crawler.engine.reasons[0] if crawler.engine.reasons else "finished")

    asyncio.run(feed())
    return crawler


def sweeps(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(tables.sweeps)).all())


def test_batches_are_kept_and_the_sweep_gets_its_counts(store: Store, settings: Settings, make_harvest: MakeHarvest) -> None:
    run(settings, [*(make_harvest(n) for n in range(120)), {"not": "a harvest"}])
    [row] = sweeps(store)
    assert (row.platform, row.purpose, row.ended_at is not None) == ("forum", "patrol", True)
    assert (row.counts["sweep/kept"], row.counts["sweep/new"]) == (120, 240)
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.captures)).scalar() == 120


def test_a_slow_site_is_kept_before_its_batch_is_full(
    store: Store, settings: Settings, make_harvest: MakeHarvest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "FLUSH_S", 0.0)
    made, crawler = pipeline(settings)

    async def feed() -> None:
        made.open_spider()
        await made.process_item(make_harvest(1))
        crawler.stats.kept = asyncio.Event()
        async with asyncio.timeout(20):
            await crawler.stats.kept.wait()
        assert crawler.stats["sweep/kept"] == 1
        await made.close_spider()

    asyncio.run(feed())


def test_a_page_that_cannot_be_kept_costs_only_itself(store: Store, settings: Settings, make_harvest: MakeHarvest) -> None:
    broken = replace(make_harvest(7), body=b"other bytes")
    crawler = run(settings, [*(make_harvest(n) for n in range(5)), broken, make_harvest(9)])
    assert (crawler.stats["sweep/kept"], crawler.stats["sweep/unkept"], crawler.stats["sweep/errors"]) == (6, 1, 1)
    assert crawler.engine.reasons == []


def test_a_store_that_breaks_ends_the_sweep(store: Store, settings: Settings, make_harvest: MakeHarvest) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE postings RENAME TO gone")
    crawler = run(settings, [make_harvest(n) for n in range(60)], at_once=10)
    assert crawler.engine.reasons[0] == "store_broken"
    assert crawler.stats["sweep/unkept"] == 60
    assert sweeps(store)[0].outcome == "failed"


def test_a_given_sweep_is_taken_over(store: Store, settings: Settings, make_harvest: MakeHarvest, fixed_now: Any) -> None:
    with store.write() as connection:
        number = captures.begin_sweep(connection, platform="forum", purpose="recheck", at=fixed_now, pid=None)
    made, crawler = pipeline(settings)
    crawler.spider.sweep_id = number
    made.open_spider()
    asyncio.run(made.close_spider())
    made.spider_closed(crawler.spider, "shutdown")
    [row] = sweeps(store)
    assert (row.id, row.pid, row.outcome, row.why) == (number, os.getpid(), "killed", "shutdown")


SPIDER = """
from datetime import UTC, datetime
from types import SimpleNamespace
import scrapy
from domain.identity import sha256
from domain.model import Capture, Harvest, Posting, PostingKind

class Small(scrapy.Spider):
    name = "small"
    platform = SimpleNamespace(id="forum")
    sweep_id = 0
    custom_settings = {"ITEM_PIPELINES": {"pipelines.intake.IntakePipeline": 300}, "LOG_LEVEL": "WARNING", "TELNETCONSOLE_ENABLED": False,
                       "ROBOTSTXT_OBEY": False, "CONCURRENT_REQUESTS": 16, "CONCURRENT_REQUESTS_PER_DOMAIN": 16}

    async def start(self):
        for number in range(int(self.pages)):
            yield scrapy.Request(f"{self.home}/{number}", dont_filter=True)

    def parse(self, response):
        self.crawler.stats.inc_value("sweep/pages")
        self.crawler.stats.inc_value("sweep/postings")
        capture = Capture(url=response.url, final_url=response.url, fetched_at=datetime.now(UTC), status=response.status,
                          sha256=sha256(response.body), size=len(response.body))
        yield Harvest(capture=capture, body=response.body,
                      postings=(Posting(platform="forum", url=response.url, kind=PostingKind.POST, body=response.text[-400:]),))
"""


def crawl(settings: Settings, home: str, tmp_path: Path, *, pages: int, file_bytes: int | None = None) -> subprocess.CompletedProcess[str]:
    """A real sweep process, its files limited to `file_bytes` each."""
    (tmp_path / "small.py").write_text(SPIDER, encoding="utf-8")
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({file_bytes}, {file_bytes})); " if file_bytes else ""
    words = ["scrapy", "runspider", str(tmp_path / "small.py"), "-a", f"home={home}", "-a", f"pages={pages}"]
    code = f"import sys; {limit}sys.argv = {json.dumps(words)}; from scrapy.cmdline import execute; execute()"
    environment = {**os.environ, **settings.environment(), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def page(number: int) -> str:
    return f"<html><p>第{number}页</p>{os.urandom(8000).hex()}</html>"


def test_a_real_sweep_is_kept(store: Store, settings: Settings, httpserver: HTTPServer, tmp_path: Path) -> None:
    for number in range(60):
        httpserver.expect_request(f"/{number}").respond_with_data(page(number), content_type="text/html; charset=utf-8")
    done = crawl(settings, httpserver.url_for("").rstrip("/"), tmp_path, pages=60)
    assert done.returncode == 0, done.stderr
    [row] = sweeps(store)
    assert (row.outcome, row.counts["sweep/kept"], row.counts["sweep/new"]) == ("ok", 60, 60), done.stderr
    assert "Error" not in done.stderr


def test_a_full_disk_ends_the_sweep_and_keeps_what_was_kept(
    store: Store, settings: Settings, httpserver: HTTPServer, tmp_path: Path
) -> None:
    for number in range(300):
        httpserver.expect_request(f"/{number}").respond_with_data(page(number), content_type="text/html; charset=utf-8")
    # The WARC meets the limit first: 8 KB a page after gzip, while the database's log holds 400 characters a posting.
    done = crawl(settings, httpserver.url_for("").rstrip("/"), tmp_path, pages=300, file_bytes=1_300_000)
    [row] = sweeps(store)
    assert row.outcome == "disk_full", done.stderr
    assert 0 < row.counts["sweep/kept"] < 300
    archive = Archive(settings.archive_dir)
    with store.read() as connection:
        rows = connection.execute(select(tables.captures)).all()
    assert len(rows) == row.counts["sweep/kept"]
    for one in rows:
        assert archive.read(one.warc, one.warc_offset, one.warc_length, one.sha256)
    spool = next(path for _, path in archive.files("spool"))
    assert spool.stat().st_size == max(one.warc_offset + one.warc_length for one in rows)
