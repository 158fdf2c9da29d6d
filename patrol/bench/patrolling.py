"""`bench patrol`: one sweep process over a local site, archive and SQLite included, beside a bare Scrapy spider."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from domain.settings import load
from patrol import process
from patrol.bench import result
from patrol.jobs import sweep
from patrol.work import open_work
from store import captures

PLATFORM = """\
id: bench
title: 基准测试站
home: http://127.0.0.1:{port}/list?page=1
kind: classifieds
start: {start}
allow_hosts: [127.0.0.1]
robots: {{ignore: 本机基准测试站}}
every: 1h
pace: {{delay_s: 0, concurrency: 16, jitter: false}}
budget: {{pages: 100000, depth: 100000, seconds: 3600}}
list:
  item: .item
  fields:
    title: .t a
    body: .b
    publisher: .w
    published_at: .d
    link: .t a::attr(href)
  keep: true
"""


def bench_patrol(*, pages: int = 600, rounds: int = 3) -> dict[str, Any]:
    """Ours and the bare spider in turn, `rounds` times; medians. `peak_mb` is the sweep process's resident peak."""
    ours: list[float] = []
    bare: list[float] = []
    peaks: list[float] = []
    postings = 0
    server = subprocess.Popen([sys.executable, "-m", "patrol.bench.site", str(pages)], cwd=process.ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        for _ in range(rounds):
            with tempfile.TemporaryDirectory(prefix="wangxun-bench-") as folder:
                elapsed, peak, postings = _ours(Path(folder), port=port, pages=pages)
                ours.append(pages / elapsed)
                peaks.append(peak)
                bare.append(pages / _bare(Path(folder), port=port, pages=pages))
    finally:
        server.terminate()
        server.wait()
    ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))
    rate = statistics.median(ours)
    figures = {
        "pages": pages,
        "rounds": rounds,
        "pages_per_s": rate,
        "postings_per_s": rate * postings / pages,
        "bare_pages_per_s": statistics.median(bare),
        "peak_mb": max(peaks),
    }
    return result("patrol", figures=figures, ratios={"to_bare_scrapy": ratio})


def _ours(folder: Path, *, port: int, pages: int) -> tuple[float, float, int]:
    """(seconds of the whole process, peak MB, postings kept)."""
    platforms = folder / "platforms"
    platforms.mkdir()
    start = "[" + ", ".join(f"'http://127.0.0.1:{port}/list?page={page}'" for page in range(1, pages + 1)) + "]"
    (platforms / "bench.yml").write_text(PLATFORM.format(port=port, start=start), encoding="utf-8")
    settings = load(dir=folder, platforms_dir=platforms, disk_min_mb=0)
    work = open_work(settings)
    peak = [0.0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            with work.store.read() as connection:
                for row in captures.running_sweeps(connection, platform="bench"):
                    peak[0] = max(peak[0], process.resident_mb(row["pid"]) if row["pid"] else 0)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    began = time.perf_counter()
    sweep_id, outcome = sweep(work, "bench")
    elapsed = time.perf_counter() - began
    done.set()
    watcher.join()
    with work.store.read() as connection:
        counts = captures.sweep(connection, sweep_id)["counts"]
    work.close()
    if outcome != "ok" or counts.get("sweep/pages") != pages:
        raise RuntimeError(f"bench patrol: the sweep ended {outcome} with {counts}; the figures would mean nothing")
    return elapsed, peak[0], int(counts["sweep/postings"])


def _bare(folder: Path, *, port: int, pages: int) -> float:
    """Seconds of the whole process of the bare spider."""
    words = [sys.executable, "-m", "scrapy", "runspider", str(process.ROOT / "crawlers" / "bare.py")]
    words += ["-a", f"start=http://127.0.0.1:{port}/list?page=", "-a", f"pages={pages}", "-s", "LOG_LEVEL=WARNING"]
    began = time.perf_counter()
    # Outside the project folder, so that none of our settings apply to it.
    subprocess.run(words, cwd=folder, check=True, stdin=subprocess.DEVNULL, env=None)
    return time.perf_counter() - began
