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
from store.engine import Store, open_store

BATCH = 50


class Intake:
    """Takes harvests in batches into one sweep's row, and counts."""

    def __init__(self, store: Store, *, sweep_id: int) -> None:
        self.store, self.sweep_id = store, sweep_id
        self.archive = Archive(store.settings.archive_dir)
        self.counts = {"captures": 0, "refused": 0, "postings": 0, "new": 0}
        self.hosts: set[str] = set()
        self.reasons: list[str] = []
        self._batch: list[Harvest] = []

    def take(self, item: Harvest | warc.RefusedRecord) -> None:
        """One record of the file; a full batch is kept at once. Raises DiskFull."""
        if not isinstance(item, Harvest):
            self.counts["refused"] += 1
            self.reasons.append(f"{item.url or '（无地址）'}：{item.reason}")
            return
        self.hosts.add(urlsplit(item.capture.url).hostname or "")
        self.counts["postings"] += len(item.postings)
        self._batch.append(item)
        if len(self._batch) >= BATCH:
            self.flush()

    def flush(self) -> None:
        kept = captures.keep(self.store, self._batch, sweep_id=self.sweep_id, archive=self.archive)
        self.counts["captures"] += kept.captures
        self.counts["new"] += kept.new
        self._batch.clear()

    def report(self) -> dict[str, Any]:
        return {**self.counts, "hosts": len(self.hosts), "reasons": self.reasons}


def import_warc(path: Path, *, settings: Settings, now: Clock, show: bool) -> dict[str, Any]:
    """Take in one WARC: `{"captures", "refused", "postings", "new", "hosts", "reasons"}`.

    A record that cannot be taken in is refused with its reason and the rest goes on. Raises DiskFull.
    """
    store = open_store(settings)
    with store.write() as connection:
        sweep_id = captures.begin_sweep(connection, platform="import_warc", purpose="import", at=now(), pid=os.getpid())
    intake = Intake(store, sweep_id=sweep_id)
    outcome, why = "failed", "broken off"
    # The records of a gzip file are not counted before they are read, so the bar shows pages, not a share.
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} 页"))
    try:
        with Progress(*columns, console=Console(stderr=True), disable=not show) as bar:
            task = bar.add_task(path.name, total=None)
            for item in warc.read(path, platforms=load_platforms(platform_folders(settings)), largest=settings.max_body_mb * 1_000_000):
                bar.advance(task)
                intake.take(item)
            intake.flush()
        outcome, why = ("ok" if intake.counts["captures"] else "empty"), ""
    finally:
        with store.write() as connection:
            slash = {f"sweep/{name}": value for name, value in intake.counts.items()}
            captures.end_sweep(connection, sweep_id, outcome=outcome, why=why, counts=slash, at=now())
        intake.archive.close()
        store.close()
    return intake.report()
