"""Importers and their examples, laid on the disk, and imports that are killed."""

from __future__ import annotations

import os
import resource
import signal
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from crawlers.imports.base import Asked, Given, Importer, Refused
from domain.model import Harvest
from domain.settings import Settings
from patrol.importing import import_file
from store import captures, tables
from store.engine import Store, open_store

NOW = datetime(2026, 11, 23, 8, 5, tzinfo=UTC)


def laid(folder: Path, files: Mapping[str, bytes]) -> Path:
    """The example on the disk: the file, or the folder where there are several."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder if len(files) > 1 else folder / next(iter(files))


def pieces(importer: Importer, given: Given, **asked: Any) -> tuple[list[Harvest], list[Refused]]:
    """What an importer gives: Harvests, and what it refused."""
    found = list(importer.read(given, Asked(**{"now": NOW, **asked})))
    return [one for one in found if isinstance(one, Harvest)], [one for one in found if isinstance(one, Refused)]


def rows(settings: Settings) -> tuple[list[tuple[str, str]], list[tuple[str, int]]]:
    """Captures (address, hash) and postings (fingerprint, times seen) in the store, sorted."""
    store = open_store(settings)
    try:
        with store.read() as connection:
            pages = connection.execute(select(tables.captures.c.url, tables.captures.c.sha256)).all()
            found = connection.execute(select(tables.postings.c.fingerprint, tables.postings.c.seen)).all()
        return sorted((one.url, one.sha256) for one in pages), sorted((one.fingerprint, one.seen) for one in found)
    finally:
        store.close()


def count(store: Store, table: Any) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.fixture
def take(settings: Settings, store: Store) -> Callable[..., dict[str, Any]]:
    """take(path, kind="har"): one import into a fresh store."""

    def taken(given: Given, *, kind: str = "auto", at: datetime = NOW, **options: Any) -> dict[str, Any]:
        return import_file(given, kind=kind, settings=settings, now=lambda: at, **options)

    return taken


def grown_by(work: Callable[[], object]) -> float:
    """MB by which a child's peak memory passes what it began with, while it works. The parent must not have done the same before."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            work()
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            os.write(write, f"{grown / 1024}".encode())
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(write)
    _, status = os.waitpid(child, 0)
    assert status == 0, "the child broke off; see above"
    with os.fdopen(read) as pipe:
        return float(pipe.read())


def killed_after(batches: int, given: Path, *, kind: str, settings: Settings, before_rows: bool) -> None:
    """Run an import in a child that kills itself with SIGKILL at its batch number `batches`, before or after its rows are written."""
    child = os.fork()
    if child == 0:
        real, calls = captures.keep, [0]

        def keep(store: Store, harvests: Sequence[Harvest], **given_too: Any) -> Any:
            calls[0] += 1
            if calls[0] == batches and before_rows:
                archive = given_too["archive"]
                for one in harvests:  # bytes without rows, the worst place to die in
                    archive.append(given_too["sweep_id"], one)
                os.kill(os.getpid(), signal.SIGKILL)
            kept = real(store, harvests, **given_too)
            if calls[0] == batches:
                os.kill(os.getpid(), signal.SIGKILL)
            return kept

        try:
            captures.keep = keep
            import_file(given, kind=kind, settings=settings, now=lambda: NOW)
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status
