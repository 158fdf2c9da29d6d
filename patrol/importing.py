"""Imports: captures made elsewhere go the way of a spider's, in batches, with a sweep row of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from crawlers.imports import warc
from crawlers.loader import load_platforms, platform_folders
from domain.clock import Clock
from domain.model import Harvest
from domain.settings import Settings
from store import captures
from store.archive import Archive
from store.engine import open_store

BATCH = 50


def import_warc(path: Path, *, settings: Settings, now: Clock, show: bool) -> dict[str, Any]:
    """Take in one WARC: `{"captures", "refused", "postings", "new", "hosts", "reasons"}`.

    A record that cannot be taken in is refused with its reason and the rest goes on. Raises DiskFull.
    """
    store = open_store(settings)
    archive = Archive(settings.archive_dir)
    with store.write() as connection:
        sweep_id = captures.begin_sweep(connection, platform="import_warc", purpose="import", at=now(), pid=os.getpid())
    counts = {"captures": 0, "refused": 0, "postings": 0, "new": 0}
    hosts: set[str] = set()
    reasons: list[str] = []
    batch: list[Harvest] = []
    outcome, why = "failed", "broken off"

    def flush() -> None:
        if batch:
            kept = captures.keep(store, batch, sweep_id=sweep_id, archive=archive)
            counts["captures"] += kept.captures
            counts["new"] += kept.new
            batch.clear()

    try:
        # The records of a gzip file are not counted before they are read, so the bar shows pages, not a share.
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} 页"))
        with Progress(*columns, console=Console(stderr=True), disable=not show) as bar:
            task = bar.add_task(path.name, total=None)
            for item in warc.read(path, platforms=load_platforms(platform_folders(settings)), largest=settings.max_body_mb * 1_000_000):
                bar.advance(task)
                if not isinstance(item, Harvest):
                    counts["refused"] += 1
                    reasons.append(f"{item.url or '（无地址）'}：{item.reason}")
                    continue
                hosts.add(urlsplit(item.capture.url).hostname or "")
                counts["postings"] += len(item.postings)
                batch.append(item)
                if len(batch) >= BATCH:
                    flush()
            flush()
        outcome, why = ("ok" if counts["captures"] else "empty"), ""
    finally:
        with store.write() as connection:
            slash = {f"sweep/{name}": value for name, value in counts.items()}
            captures.end_sweep(connection, sweep_id, outcome=outcome, why=why, counts=slash, at=now())
        archive.close()
        store.close()
    return {**counts, "hosts": len(hosts), "reasons": reasons}
