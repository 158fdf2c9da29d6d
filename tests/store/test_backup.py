from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from domain.errors import StoreFault
from domain.model import Assessment, Level
from domain.settings import Settings
from store import anchor, captures, hits, tables
from store.archive import Archive
from store.backup import backup, restore, verify
from store.engine import Store, open_store
from tests.conftest import KeepTexts, MakeHarvest

Fill = Callable[[], None]


@pytest.fixture
def fill(any_store: Store, keep_texts: KeepTexts, archive: Archive, fixed_now: datetime) -> Fill:
    """Three postings, one of them a hit with its page sealed, and a blob that a notice names."""

    def make() -> None:
        keep_texts("一", "二\U0001f9e7", "保本")
        suspected = Assessment(level=Level.ALERT, score=0.9, ruleset="t@1", model="none")
        with any_store.read() as connection:
            posting = connection.execute(select(tables.postings.c.id).where(tables.postings.c.body == "保本")).scalar_one()
        [number] = hits.record(any_store, [(posting, suspected)], now=fixed_now)
        blob = archive.put_blob(b"letter", ".pdf")
        with any_store.write() as connection:
            row = {"hit_id": number, "state": "draft", "addressee": "某站", "channel": "email", "address": "a@b.example", "url": "u"}
            connection.execute(tables.notices.insert().values(**row, drafted_by="li", drafted_at=fixed_now, body={}, pdf_sha256=blob))

    return make


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.read() as connection:
        return {table.name: sorted(map(tuple, connection.execute(select(table))), key=repr) for table in tables.metadata.sorted_tables}


def test_what_is_kept_verifies(any_store: Store, fill: Fill) -> None:
    fill()
    seen: list[tuple[int, int]] = []
    report = verify(any_store, progress=lambda done, total: seen.append((done, total)))
    assert report.faults == []
    assert report.as_dict()["ok"] is True
    assert (report.counts["captures_read"], report.counts["hits"], report.counts["blobs"], report.counts["audit"]) == (3, 1, 1, 1)
    assert seen == [(3, 3)]


def test_a_backup_is_restored_whole(any_store: Store, fill: Fill, tmp_path: Path) -> None:
    fill()
    about = backup(any_store, tmp_path / "copy")
    assert "wangxun.db" in about["files"] and "audit.heads" in about["files"]
    target = Settings(dir=tmp_path / "new")
    restore(tmp_path / "copy", target)
    restored = open_store(target)
    assert everything(restored) == everything(any_store)
    assert verify(restored).faults == []
    restored.close()


@pytest.mark.postgres
def test_a_backup_moves_from_sqlite_to_postgres_and_on(store: Store, empty_postgres: str, tmp_path: Path, fixed_now: datetime) -> None:
    with store.write() as connection:
        captures.begin_sweep(connection, platform="a", purpose="patrol", at=fixed_now, pid=1)
    backup(store, tmp_path / "copy")
    target = Settings(dir=tmp_path / "new", database_url=empty_postgres)
    restore(tmp_path / "copy", target)
    moved = open_store(target)
    assert everything(moved) == everything(store)
    with moved.write() as connection:
        assert captures.begin_sweep(connection, platform="b", purpose="patrol", at=fixed_now, pid=1) == 2
    moved.close()
    with pytest.raises(StoreFault, match="rows already"):
        restore(tmp_path / "copy", Settings(dir=tmp_path / "third", database_url=empty_postgres))


def test_a_backup_beside_a_writer_is_whole(
    any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest, tmp_path: Path
) -> None:
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            captures.keep(any_store, [make_harvest(number + n) for n in range(5)], sweep_id=sweep_id, archive=archive)
            number += 5

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for copy in ("one", "two"):
            backup(any_store, tmp_path / copy)
    finally:
        done.set()
        writer.join()
    for copy in ("one", "two"):
        target = Settings(dir=tmp_path / f"new-{copy}")
        restore(tmp_path / copy, target)
        restored = open_store(target)
        assert verify(restored).faults == []
        restored.close()


def test_a_backup_wants_a_place_of_its_own(store: Store, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(StoreFault, match="not empty"):
        backup(store, tmp_path / "full")
    with pytest.raises(StoreFault, match="inside"):
        backup(store, store.settings.archive_dir / "copy")


def test_restore_refuses_a_target_with_data(store: Store, settings: Settings, tmp_path: Path) -> None:
    backup(store, tmp_path / "copy")
    with pytest.raises(StoreFault, match="exists already"):
        restore(tmp_path / "copy", settings)
    other = Settings(dir=tmp_path / "other")
    Archive(other.archive_dir).put_blob(b"x", ".png")
    with pytest.raises(StoreFault, match="holds files"):
        restore(tmp_path / "copy", other)
    assert not (tmp_path / "other" / "wangxun.db").exists()


@pytest.mark.parametrize("harm", ["altered", "missing", "no manifest", "other revision"])
def test_restore_refuses_a_backup_that_is_not_whole(store: Store, tmp_path: Path, harm: str) -> None:
    copy = tmp_path / "copy"
    backup(store, copy)
    match harm:
        case "altered":
            with (copy / "wangxun.db").open("ab") as handle:
                handle.write(b"x")
        case "missing":
            (copy / "wangxun.db").unlink()
        case "no manifest":
            (copy / "backup.json").unlink()
        case _:
            about = json.loads((copy / "backup.json").read_text()) | {"revision": "9999"}
            (copy / "backup.json").write_text(json.dumps(about))
    with pytest.raises(StoreFault, match=r"another one|revision"):
        restore(copy, Settings(dir=tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def _damage_blob(store: Store, archive: Archive) -> str:
    path = next(path for _, path in archive.files("blobs"))
    path.chmod(0o600)
    path.write_bytes(b"other")
    return "no longer fits its name"


def _lose_blob(store: Store, archive: Archive) -> str:
    next(path for _, path in archive.files("blobs")).unlink()
    return "is named by a row and gone"


def _damage_evidence(store: Store, archive: Archive) -> str:
    path = next(path for _, path in archive.files("evidence"))
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[40] ^= 0xFF
    path.write_bytes(data)
    return "archive/evidence/"


def _cut_spool(store: Store, archive: Archive) -> str:
    path = next(path for _, path in archive.files("spool"))
    path.write_bytes(path.read_bytes()[:100])
    return "bytes are left"


def _lose_pages(store: Store, archive: Archive) -> str:
    with store.write() as connection:
        connection.execute(update(tables.captures).where(tables.captures.c.sealed).values(warc=None))
    return "hit:1: none of its pages"


def _cut_audit(store: Store, archive: Archive) -> str:
    with store.write() as connection:
        connection.execute(delete(tables.audit))
    return "audit:1: was noted"


@pytest.mark.parametrize("harm", [_damage_blob, _lose_blob, _damage_evidence, _cut_spool, _lose_pages, _cut_audit])
def test_verify_names_what_was_harmed(any_store: Store, fill: Fill, archive: Archive, harm: Callable[[Store, Archive], str]) -> None:
    fill()
    told = harm(any_store, archive)
    assert any(told in fault for fault in verify(any_store).faults)


def test_verify_names_a_row_that_points_nowhere(store: Store) -> None:
    store.close()
    with sqlite3.connect(store.settings.dir / "wangxun.db") as connection:
        connection.execute("INSERT INTO ties (hit_id, campaign_id, kind, value) VALUES (7, 8, 'qq', '1')")
    assert any("ties" in fault for fault in verify(store).faults)


def test_verify_finds_an_old_copy_put_back(any_store: Store, fill: Fill, fixed_now: datetime) -> None:
    fill()
    with any_store.write() as connection:
        assert connection.execute(select(func.count()).select_from(tables.audit)).scalar() == 1
    (any_store.settings.dir / anchor.NAME).open("a").write(f"2 {'a' * 64}\n")
    assert any("audit:2" in fault for fault in verify(any_store).faults)
