"""Opening the store: SQLite (WAL) on one machine, PostgreSQL on many, one code."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from domain.errors import StoreFault
from domain.settings import Settings
from store import anchor
from store.door import room

BUSY_MS = 30_000
"""How long a writer waits for another: longer than any transaction of ours, shorter than a job's patience."""


class Store:
    """One database, and where its archive lies. Cheap to open, one a process; close it before forking."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.settings = engine, settings

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may write: committed at the end, rolled back on any exception.

        Raises DiskFull where there is no room. On SQLite it takes the write lock at once (BEGIN IMMEDIATE), so that a read
        followed by a write never meets SQLITE_BUSY.
        """
        with self.engine.connect().execution_options(wangxun_write=True) as connection:
            connection.info.pop(anchor.KEY, None)
            with room(str(self.settings.dir)), connection.begin():
                yield connection
            head = connection.info.pop(anchor.KEY, None)
        if head:
            anchor.note(self.settings.dir, head)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that only reads: a steady view."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def open_store(settings: Settings, *, check_version: bool = True) -> Store:
    """The store that `settings` name.

    Raises StoreFault where the database cannot be opened, or where it was written by a newer or an older version of the
    program (`wangxun db upgrade` mends the latter). `check_version=False` is for the migrations themselves.
    """
    try:
        url = make_url(settings.database)
    except (ArgumentError, ValueError):
        raise StoreFault("database_url: is no address of a database; write postgresql://user@host/name, or leave it empty") from None
    arguments: dict[str, Any] = {}
    if url.get_backend_name() == "sqlite":
        try:
            settings.dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreFault(f"{settings.dir}: cannot be made ({error.strerror}); give another WANGXUN_DIR, or mend its owner") from error
        arguments = {"connect_args": {"timeout": BUSY_MS / 1000}}
    elif url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
        arguments = {"pool_pre_ping": True}
        if os.environ.get("WANGXUN_POOL") == "none":
            arguments["poolclass"] = NullPool
    else:
        raise StoreFault(f"database: {url.get_backend_name()} is not supported; use sqlite:/// or postgresql://")
    engine = create_engine(url, **arguments)
    if engine.dialect.name == "sqlite":
        _tune_sqlite(engine)
    store = Store(engine, settings)
    if check_version:
        from store.migrate import require_current  # here, since the migrations open stores too

        try:
            require_current(store)
        except BaseException:
            store.close()
            raise
    return store


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we begin ourselves, below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}", "cache_size=-32000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("wangxun_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def worker_name() -> str:
    """Who holds a lease: host, process."""
    return f"{socket.gethostname()}:{os.getpid()}"
