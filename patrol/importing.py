"""Imports: captures made elsewhere go the way of a spider's, in batches, with a sweep row of their own; a second time adds nothing."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

import psutil
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from crawlers.imports.base import Asked, Given, Importer, Refused, Unopened
from crawlers.imports.registry import by_name, recognised
from crawlers.loader import load_sound, platform_folders
from domain.clock import Clock
from domain.errors import DiskFull, PatrolError
from domain.model import Harvest
from domain.settings import Settings
from store import captures, migrate, repeats
from store.archive import Archive
from store.engine import Store, open_store

log = logging.getLogger(__name__)

BATCH_PIECES = 500
BATCH_BYTES = 8_000_000
"""A batch ends at whichever comes first: rows of a list are small and many, pages and photos few and large."""
REASONS_SHOWN = 200
"""Reasons in the report, which has to be read; `refused_to` writes all."""
BROKEN_IN_A_ROW = 5
"""Single pieces that cannot be kept, one after another, after which the store itself must be broken."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one import did."""

    captures: int = 0
    repeated: int = 0
    """Pieces that stand in the store already."""
    refused: int = 0
    postings: int = 0
    new: int = 0
    hosts: set[str] = field(default_factory=set)
    reasons: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The numbers, as the sweep's row and the report carry them."""
        return {name: getattr(self, name) for name in ("captures", "repeated", "refused", "postings", "new")}


class Intake:
    """Takes pieces in batches, and counts. `keep` takes a batch and tells how many captures and postings were new."""

    def __init__(self, keep: Callable[[Sequence[Harvest]], tuple[int, int]], *, refused_to: TextIO | None = None) -> None:
        self._keep, self._refused_to = keep, refused_to
        self.tally = Tally()
        self._batch: list[Harvest] = []
        self._bytes, self._broken_in_a_row = 0, 0

    def take(self, item: Harvest | Refused) -> None:
        """One piece of the file; a full batch is kept at once. Raises DiskFull."""
        if isinstance(item, Refused):
            self.refuse(item)
            return
        self.tally.hosts.add(_host(item.capture.url))
        self.tally.postings += len(item.postings)
        self._batch.append(item)
        self._bytes += len(item.body)
        if len(self._batch) >= BATCH_PIECES or self._bytes >= BATCH_BYTES:
            self.flush()

    def refuse(self, item: Refused) -> None:
        """Count a piece that was not taken, and write down why."""
        self.tally.refused += 1
        if len(self.tally.reasons) < REASONS_SHOWN:
            where = " ".join(part for part in (f"第 {item.number} 项" if item.number else "", item.where[:200]) if part)
            self.tally.reasons.append(f"{where or '文件'}：{item.reason}")
        if self._refused_to is not None:
            row = {"number": item.number, "where": item.where, "reason": item.reason}
            self._refused_to.write(json.dumps(row, ensure_ascii=False) + "\n")

    def flush(self) -> None:
        """Keep what waits; where a batch breaks, piece by piece, so that one never costs the others. Raises DiskFull."""
        batch, self._batch, self._bytes = self._batch, [], 0
        if not batch:
            return
        try:
            self._count(batch)
            return
        except DiskFull:
            raise
        except Exception as error:
            log.warning("pieces=%d unkept=yes, going one by one", len(batch), exc_info=error)
        for harvest in batch:
            try:
                self._count([harvest])
                self._broken_in_a_row = 0
            except DiskFull:
                raise
            except Exception as error:
                self.refuse(Refused(0, harvest.capture.url[:200], f"存不下（{type(error).__name__}: {str(error)[:150]}）"))
                self._broken_in_a_row += 1
                if self._broken_in_a_row >= BROKEN_IN_A_ROW:
                    raise

    def _count(self, batch: Sequence[Harvest]) -> None:
        kept, new = self._keep(batch)
        self.tally.captures += kept
        self.tally.new += new
        self.tally.repeated += len(batch) - kept


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def import_file(
    given: Given, *, kind: str, settings: Settings, now: Clock, show: bool = False, dry_run: bool = False,
    columns: dict[str, str] | None = None, name: str = "", refused_to: TextIO | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Take in one file or folder, an upload as well: `{"kind", "file", "captures", "repeated", "refused", "postings", "new", "hosts",
    "reasons", "dry_run"}`.

    `kind` is an importer's name, or `auto`. A piece that cannot be taken in is refused with its reason and the rest goes on. After a
    kill or a full disk the same call goes on where it stood. `watch` is called with what is done and what there is.
    Raises DiskFull, and PatrolError for a file that is of no kind.
    """
    shown = name or (given.name if isinstance(given, Path) else "upload")
    importer = _importer(given, kind, shown)
    bar: AbstractContextManager[Callable[[int, int], None]] = nullcontext(watch) if watch else _bar(shown, show=show)
    moment = now()
    with bar as progress:
        asked = Asked(
            now=moment, platforms=load_sound(platform_folders(settings))[0], largest=settings.max_body_mb * 1_000_000, progress=progress,
            columns=columns or {}, name=shown,
        )  # fmt: skip
        pieces = importer.read(given, asked)
        if dry_run:
            tally = _tried(pieces, settings, asked, refused_to)
        else:
            tally = _taken_in(pieces, importer, settings=settings, asked=asked, now=now, refused_to=refused_to)
    left_out = {"reasons_left_out": tally.refused - len(tally.reasons)} if tally.refused > len(tally.reasons) else {}
    about = {"kind": importer.name, "file": shown, "dry_run": dry_run, **tally.counts()}
    return {**about, "hosts": len(tally.hosts - {""}), "reasons": tally.reasons, **left_out}


def _importer(given: Given, kind: str, shown: str) -> Importer:
    known = by_name()
    if kind in known:
        return known[kind]
    try:
        found = recognised(given)
    except Unopened as error:
        raise PatrolError(f"{shown}: {error}") from error
    if found is None:
        kinds = "；".join(f"{one.name} {one.title}" for one in known.values())
        raise PatrolError(f"{shown}: 认不出文件类型；请写明种类：{kinds}")
    return found


def _taken_in(
    pieces: Iterator[Harvest | Refused], importer: Importer, *, settings: Settings, asked: Asked, now: Clock, refused_to: TextIO | None
) -> Tally:
    store = open_store(settings)
    archive = Archive(settings.archive_dir)
    platform = f"import_{importer.name}"
    _close_dead(store, platform, now=now)
    with store.write() as connection:
        sweep_id = captures.begin_sweep(connection, platform=platform, purpose="import", at=asked.now, pid=os.getpid())

    def keep(batch: Sequence[Harvest]) -> tuple[int, int]:
        kept = captures.keep_once(store, batch, sweep_id=sweep_id, archive=archive, undated=asked.now)
        return kept.captures, kept.new

    intake = Intake(keep, refused_to=refused_to)
    outcome, why = "failed", "broken off; start the import again"
    try:
        for item in pieces:
            intake.take(item)
        intake.flush()
        outcome, why = ("ok" if intake.tally.captures + intake.tally.repeated else "empty"), ""
    except DiskFull as error:
        outcome, why = "disk_full", str(error)
        raise
    finally:
        archive.close()
        counts = {f"sweep/{key}": value for key, value in intake.tally.counts().items()}
        with suppress(DiskFull), store.write() as connection:
            captures.end_sweep(connection, sweep_id, outcome=outcome, why=why, counts=counts, at=now())
        store.close()
    return intake.tally


def _close_dead(store: Store, platform: str, *, now: Clock) -> None:
    """Close the rows of imports of this kind that were killed."""
    with store.write() as connection:
        for row in captures.running_sweeps(connection, platform=platform):
            if row["pid"] is None or not psutil.pid_exists(int(row["pid"])):
                captures.end_sweep(connection, row["id"], outcome="killed", why="the import was killed", counts=None, at=now())


def _tried(pieces: Iterator[Harvest | Refused], settings: Settings, asked: Asked, refused_to: TextIO | None) -> Tally:
    """What an import would do, without writing anything: what stands in the store already is told where there is a store."""
    store = _store_to_look_at(settings)
    seen: set[int] = set()  # hashes: a million rows are tried in 100 MB

    def first(*parts: str) -> bool:
        key = hash(parts)
        if key in seen:
            return False
        seen.add(key)
        return True

    def look(batch: Sequence[Harvest]) -> tuple[int, int]:
        before, stand = [False] * len(batch), 0
        if store is not None:
            with store.read() as connection:
                before = repeats.known(connection, batch, undated=asked.now)
        fresh = [one for one, known in zip(batch, before, strict=True) if first(one.capture.url, one.capture.sha256) and not known]
        prints = [posting.fingerprint for one in fresh for posting in one.postings if first(posting.fingerprint)]
        if store is not None:
            with store.read() as connection:
                stand = repeats.postings_known(connection, prints)
        return len(fresh), len(prints) - stand

    intake = Intake(look, refused_to=refused_to)
    try:
        for item in pieces:
            intake.take(item)
        intake.flush()
    finally:
        if store is not None:
            store.close()
    return intake.tally


def _store_to_look_at(settings: Settings) -> Store | None:
    """The store, where there is one of this version."""
    if settings.database.startswith("sqlite") and not (settings.dir / "wangxun.db").is_file():
        return None
    store = open_store(settings, check_version=False)
    if migrate.current(store) is None:
        store.close()
        return None
    return store


@contextmanager
def _bar(name: str, *, show: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, moved by what was read of the file."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not show) as bar:
        task = bar.add_task(name[:40], total=None)

        def moved(done: int, all_: int) -> None:
            bar.update(task, completed=done, total=all_ or None)

        yield moved
