"""`bench browser`: page loads in one sweep, archive and SQLite included, beside plain Playwright over the same pages.

The two take turns in blocks, so that a machine that is busy with other things slows both alike; the site holds whoever is not on.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crawlers.chromium import find_browser, missing_browser
from domain.errors import PatrolError
from domain.settings import Settings, load
from patrol import process
from patrol.bench import result
from patrol.jobs import sweep
from patrol.work import Work, open_work
from store import captures

TABS = 4
BLOCK = 50
FIRST = 100
"""Loads after which memory is taken as what a browser holds when it is warm."""
PLATFORM = """\
id: bench
title: 基准测试站
home: http://127.0.0.1:{port}/ours/1
kind: classifieds
fetch: browser
start: {start}
allow_hosts: [127.0.0.1]
robots: {{ignore: 本机基准测试站}}
every: 1h
answer_s: 600
pace: {{delay_s: 0, concurrency: 4, jitter: false}}
budget: {{pages: 100000, depth: 0, seconds: 86400}}
browser: {{wait_for: .item, timeout_s: 300, block: [image, media, font], screenshot: {screenshot}}}
list:
  item: .item
  fields: {{title: .t a, body: .b, publisher: .w, link: ".t a::attr(href)"}}
  keep: true
"""


class NoBrowser(PatrolError):
    """There is nothing to measure."""


@dataclass(slots=True)
class Turns:
    """What the blocks came to, in order."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    memory_mb: list[tuple[int, float]] = field(default_factory=list)
    """(pages loaded, resident MB of the sweep with its browser) while the sweep is held."""


def bench_browser(*, pages: int = 2000, screenshot: str = "none", show: bool = False) -> dict[str, Any]:
    """Figures over `pages` loads; the last block is let through unmeasured. `screenshot` (none, view, full) is taken by both alike.

    A full one costs many times what loading does, and would hide what is compared. Raises NoBrowser.
    """
    browser = find_browser(load())
    if browser is None:
        raise NoBrowser(missing_browser(load(), platform="bench"))
    blocks = max(3, pages // BLOCK)
    pages = blocks * BLOCK
    with tempfile.TemporaryDirectory(prefix="wangxun-bench-") as folder, _site() as (site, port):
        work = open_work(_settings(Path(folder), port=port, pages=pages, screenshot=screenshot))
        done: list[tuple[int, str]] = []
        patrol = threading.Thread(target=lambda: _patrol(work, site, done))
        words = [sys.executable, "-m", "crawlers.browsing_bare", str(browser), f"http://127.0.0.1:{port}/bare/"]
        words += [str(pages), str(TABS), screenshot]
        peer = subprocess.Popen(words, cwd=process.ROOT)
        patrol.start()
        try:
            turns = _take_turns(site, work, blocks=blocks, show=show)
            for side in ("ours", "bare"):
                _ask(site, side, -1)
            patrol.join()
            peer.wait(timeout=600)
        finally:
            work.stop.set()
            peer.kill()
            patrol.join()
        with work.store.read() as connection:
            counts = dict(captures.sweep(connection, done[0][0])["counts"])
        work.close()
    if done[0][1] != "ok" or counts.get("sweep/pages") != pages:
        raise RuntimeError(f"bench browser: the sweep ended {done[0][1]} with {counts}; the figures would mean nothing")
    return _figures(turns, counts, pages=pages)


def _patrol(work: Work, site: subprocess.Popen[str], done: list[tuple[int, str]]) -> None:
    """The sweep. Where it ends before its pages do, the site ends with it: whoever waits for the next block must not wait for ever."""
    done.append(sweep(work, "bench"))
    if done[0][1] != "ok":
        site.kill()


def _take_turns(site: subprocess.Popen[str], work: Work, *, blocks: int, show: bool) -> Turns:
    turns = Turns()
    for number in range(1, blocks):
        pair = ("ours", "bare") if number % 2 else ("bare", "ours")
        for side in pair:
            getattr(turns, side).append(_ask(site, side, BLOCK))
        turns.memory_mb.append((number * BLOCK, _held(work)))
        if show:
            rates = f"ours {BLOCK / turns.ours[-1]:.1f}, bare {BLOCK / turns.bare[-1]:.1f} pages/s"
            sys.stderr.write(f"\r{number * BLOCK} pages, {turns.memory_mb[-1][1]:.0f} MB, {rates}   ")
    return turns


def _figures(turns: Turns, counts: dict[str, Any], *, pages: int) -> dict[str, Any]:
    # The first blocks of both start a browser; they are left out of the speeds.
    ours, bare = turns.ours[1:], turns.bare[1:]
    first = next(held for loads, held in turns.memory_mb if loads >= min(FIRST, turns.memory_mb[-1][0]))
    last = max(held for _, held in turns.memory_mb[-3:])
    figures = {
        "pages": pages,
        "pages_per_s": BLOCK / statistics.median(ours),
        "bare_pages_per_s": BLOCK / statistics.median(bare),
        "memory_growth": last / first,
        "first_mb": first,
        "last_mb": last,
        "peak_mb": max(held for _, held in turns.memory_mb),
        "browser_peak_mb": int(counts.get("sweep/browser_peak_mb", 0)),
        "recycled": int(counts.get("sweep/recycled", 0)),
        "restarted": int(counts.get("sweep/restarted", 0)),
        "postings": int(counts.get("sweep/postings", 0)),
    }
    ratio = statistics.median(theirs / mine for mine, theirs in zip(ours, bare, strict=True))
    return result("browser", figures=figures, ratios={"to_bare_playwright": ratio})


def _held(work: Work) -> float:
    """MB of the sweep and everything that it started, the mean of three looks."""
    with work.store.read() as connection:
        pid = next((row["pid"] for row in captures.running_sweeps(connection, platform="bench") if row["pid"]), 0)
    looks = []
    for _ in range(3):
        looks.append(process.resident_mb(pid))
        time.sleep(0.1)
    return statistics.mean(looks)


def _settings(folder: Path, *, port: int, pages: int, screenshot: str) -> Settings:
    platforms = folder / "platforms"
    platforms.mkdir()
    start = "[" + ", ".join(f"'http://127.0.0.1:{port}/ours/{page}'" for page in range(1, pages + 1)) + "]"
    (platforms / "bench.yml").write_text(PLATFORM.format(port=port, start=start, screenshot=screenshot), encoding="utf-8")
    return load(dir=folder, platforms_dir=platforms, disk_min_mb=0, sweep_timeout_s=86400.0)


@contextmanager
def _site() -> Iterator[tuple[subprocess.Popen[str], int]]:
    words = [sys.executable, "-m", "patrol.bench.browsing_site"]
    server = subprocess.Popen(words, cwd=process.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server, int(server.stdout.readline())
    finally:
        server.kill()
        server.wait()


def _ask(site: subprocess.Popen[str], side: str, count: int) -> float:
    assert site.stdin is not None and site.stdout is not None
    site.stdin.write(f"{side} {count} {TABS}\n")
    site.stdin.flush()
    answer = site.stdout.readline().split()
    if len(answer) < 2:
        raise RuntimeError("bench browser: the sweep ended before its pages did; the figures would mean nothing")
    return float(answer[1])
