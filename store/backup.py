"""Backup, restore, verify: a copy that is whole while writers go on, and a check that reads every kept byte again.

TARGET/wangxun.db    all rows, always as SQLite, whatever they came from: a backup moves between SQLite and PostgreSQL
TARGET/archive/...   every file of the archive
TARGET/audit.heads   the notes of the audit chain
TARGET/backup.json   written last: the SHA-256 of each of these files
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, func, insert, inspect, make_url, select, text

from domain.errors import StoreFault
from domain.settings import Settings
from store import anchor, migrate, tables
from store.door import room
from store.engine import Store, open_store
from store.proof import Report, verify
from store.retention import held

MANIFEST, DATABASE = "backup.json", "wangxun.db"
ROWS = 1000

__all__ = ["Report", "backup", "restore", "verify"]


def backup(store: Store, target: Path) -> dict[str, Any]:
    """Copy everything to the new or empty folder `target`: the manifest that was written.

    The rows are one moment's; the files are copied after them, with retention held off, so that no row names a missing byte.
    Raises StoreFault where `target` holds something or lies inside the data folder, and DiskFull.
    """
    archive = store.settings.archive_dir
    if target.exists() and any(target.iterdir()):
        raise StoreFault(f"{target}: is not empty; give a new folder for each backup")
    if archive.resolve() in (target.resolve(), *target.resolve().parents):
        raise StoreFault(f"{target}: lies inside the archive; give a folder elsewhere, best on another disk")
    with room(str(target)), held(archive, wait=True, shared=True):
        target.mkdir(parents=True, exist_ok=True)
        if (store.settings.dir / anchor.NAME).is_file():
            # Before the rows: notes that are behind the chain are well, notes ahead of it would look like a cut tail.
            shutil.copy2(store.settings.dir / anchor.NAME, target / anchor.NAME)
        _copy_rows(store, target / DATABASE)
        for part in ("evidence", "blobs", "spool"):
            for path in sorted((archive / part).glob("*/*")):
                if path.is_file() and not path.name.startswith(".part-"):
                    copy = target / "archive" / part / path.parent.name / path.name
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(path, copy)
        files = {path.relative_to(target).as_posix(): _hash(path) for path in _files(target)}
        about = {
            "format": 1,
            "revision": migrate.current(store),
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "files": files,
        }
        (target / MANIFEST).write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")
    return about


def restore(source: Path, settings: Settings) -> None:
    """Bring a backup back to where `settings` point, SQLite or PostgreSQL. Every file is checked against the manifest first.

    Raises StoreFault where the target already holds data, or where `source` is no whole backup, is altered, or is of another
    revision of the program.
    """
    about = _checked(source)
    if (known := migrate.revisions()[-1]) != about["revision"]:
        raise StoreFault(
            f"{source}: is of revision {about['revision']}, this program is at {known}; restore with the program that made it, then upgrade"
        )
    _refuse_full(settings)
    with room(str(settings.dir)):
        settings.dir.mkdir(parents=True, exist_ok=True)
        if (source / "archive").is_dir():
            shutil.copytree(source / "archive", settings.archive_dir, dirs_exist_ok=True)
        if (source / anchor.NAME).is_file():
            shutil.copy2(source / anchor.NAME, settings.dir / anchor.NAME)
        # The rows come last: a restore that breaks off leaves no database that looks whole.
        if make_url(settings.database).get_backend_name() == "sqlite":
            place = Path(str(make_url(settings.database).database))
            shutil.copy2(source / DATABASE, place.with_suffix(".part"))
            place.with_suffix(".part").replace(place)
        else:
            _bring_rows(source / DATABASE, settings)


def _copy_rows(store: Store, path: Path) -> None:
    if store.is_sqlite:
        place = Path(str(store.engine.url.database))
        # A connection of its own: SQLite's backup steps beside writers and starts again where they changed pages it had read.
        given, taken = sqlite3.connect(f"file:{place}?mode=ro", uri=True), sqlite3.connect(path)
        given.backup(taken)
        given.close()
        taken.close()
        _settle(path)
        return
    copy = open_store(store.settings.model_copy(update={"database_url": f"sqlite:///{path.resolve()}"}), check_version=False)
    migrate.upgrade(copy)
    with store.engine.connect().execution_options(isolation_level="REPEATABLE READ") as rows, rows.begin(), copy.write() as lines:
        _pour(rows, lines)
    copy.close()
    _settle(path)


def _settle(path: Path) -> None:
    """Put the write-ahead log into the file, so that the file alone is the database."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()


def _bring_rows(path: Path, settings: Settings) -> None:
    source = create_engine(f"sqlite:///{path.resolve()}")  # not through open_store, which would switch the backup's journal
    store = open_store(settings, check_version=False)
    migrate.upgrade(store)
    try:
        with source.connect() as given, store.write() as taken:
            _pour(given, taken)
            if not store.is_sqlite:
                _set_sequences(taken)
    finally:
        store.close()
        source.dispose()


def _pour(given: Connection, taken: Connection) -> None:
    """Copy all tables, those that others refer to first."""
    for table in tables.metadata.sorted_tables:
        for rows in given.execution_options(yield_per=ROWS).execute(select(table)).mappings().partitions():
            taken.execute(insert(table), [dict(row) for row in rows])


def _set_sequences(connection: Connection) -> None:
    """Let PostgreSQL's counters go on behind the rows that came with their numbers."""
    for table in tables.metadata.sorted_tables:
        if "id" in table.c and table.c.id.autoincrement:
            last = connection.execute(select(func.max(table.c.id))).scalar()
            if last:
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), :last)"), {"last": last})


def _refuse_full(settings: Settings) -> None:
    """Raises StoreFault where the target already holds rows or files."""
    url = make_url(settings.database)
    way = "give an empty WANGXUN_DIR (and an empty database), or move the old one away"
    if any(path.is_file() and path.name != ".keep" for path in settings.archive_dir.rglob("*")):
        raise StoreFault(f"{settings.archive_dir}: holds files already; {way}")
    if url.get_backend_name() == "sqlite":
        if Path(str(url.database)).exists():
            raise StoreFault(f"{url.database}: exists already; {way}")
        return
    store = open_store(settings, check_version=False)
    try:
        with store.read() as connection:
            names = set(inspect(connection).get_table_names())
            if any(connection.execute(select(table).limit(1)).first() for table in tables.metadata.sorted_tables if table.name in names):
                raise StoreFault(f"database {url.render_as_string(hide_password=True)}: holds rows already; {way}")
    finally:
        store.close()


def _checked(source: Path) -> dict[str, Any]:
    """The manifest of a whole, unaltered backup."""
    try:
        about: dict[str, Any] = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
        files: dict[str, str] = about["files"]
    except (OSError, ValueError, KeyError) as error:
        raise StoreFault(f"{source}: is no whole backup ({MANIFEST}: {error}); take another one") from error
    for name, digest in files.items():
        path = source / name
        if ".." in Path(name).parts or Path(name).is_absolute() or not path.is_file():
            raise StoreFault(f"{path}: is missing from the backup; take another one")
        if _hash(path) != digest:
            raise StoreFault(f"{path}: was changed since the backup was made; take another one")
    return about


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST)


def _hash(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
