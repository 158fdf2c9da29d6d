from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, text

from domain.errors import StoreFault
from domain.settings import Settings
from store import figures, tables
from store.engine import Store, open_store
from store.migrate import MIGRATIONS, current, require_current, revisions, upgrade


def test_file_names_carry_the_revisions() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    walked = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert list(reversed(walked)) == revisions()


def test_migrations_make_the_tables_of_the_code(any_store: Store) -> None:
    with any_store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_upgrade_twice_changes_nothing(any_store: Store) -> None:
    assert upgrade(any_store) == (revisions()[-1], revisions()[-1])
    require_current(any_store)


def test_an_empty_database_names_the_upgrade(settings: Settings) -> None:
    with pytest.raises(StoreFault, match="wangxun db upgrade"):
        open_store(settings)


def test_an_older_database_names_the_upgrade(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.migrate.revisions", lambda: [*revisions(), "9998"])
    with pytest.raises(StoreFault, match="wangxun db upgrade"):
        open_store(settings)


def test_a_newer_database_is_refused_and_left_alone(any_store: Store) -> None:
    with any_store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreFault, match=r"newer Wangxun.*restore"):
        open_store(any_store.settings)
    with pytest.raises(StoreFault, match="newer"):
        upgrade(any_store)
    assert current(any_store) == "9999"


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "wangxun.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreFault, match=r"wangxun\.db"):
        open_store(Settings(dir=tmp_path))


def test_two_upgrades_at_once_end_in_one_schema(settings: Settings) -> None:
    faults: list[BaseException] = []

    def run() -> None:
        store = open_store(settings, check_version=False)
        try:
            upgrade(store)
        except BaseException as error:
            faults.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    open_store(settings).close()


@pytest.mark.postgres
def test_an_empty_postgres_is_upgraded(settings: Settings, empty_postgres: str) -> None:
    store = open_store(settings.model_copy(update={"database_url": empty_postgres}), check_version=False)
    assert current(store) is None
    assert upgrade(store) == (None, revisions()[-1])
    store.close()


@pytest.mark.parametrize("address", ["nonsense", "postgresql://u:pw@h:x/y"])
def test_an_address_that_is_none_is_named_without_its_secret(settings: Settings, address: str) -> None:
    with pytest.raises(StoreFault, match="is no address of a database") as caught:
        open_store(settings.model_copy(update={"database_url": address}))
    assert "pw" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_named(settings: Settings) -> None:
    (settings.dir / "file").touch()
    with pytest.raises(StoreFault, match="cannot be made"):
        open_store(settings.model_copy(update={"dir": settings.dir / "file"}))


@pytest.mark.postgres
def test_what_was_judged_before_the_second_version_is_counted_in_postgres(settings: Settings, empty_postgres: str) -> None:
    _assert_old_rows_are_counted(settings.model_copy(update={"database_url": empty_postgres}))


def test_what_was_judged_before_the_second_version_is_counted(settings: Settings) -> None:
    _assert_old_rows_are_counted(settings)


def _assert_old_rows_are_counted(settings: Settings) -> None:
    """A database of the first version with one text judged twice and its hit, brought to the present one."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    store, at = open_store(settings, check_version=False), datetime(2026, 11, 23, 20, tzinfo=UTC).replace(tzinfo=None)
    empty = {"why": "", "counts": {}}
    page = {"platform": "forum", "url": "https://forum.example/1"}
    lists: dict[str, object] = {name: [] for name in ("schemes", "features", "reasons", "scores", "codes", "authorities")}
    judged = {"posting_id": 1, "at": at, "level": "alert", "score": 0.9, "ruleset": "t@1", "model": "none", **lists}
    rows = {
        "sweeps": {"id": 1, "platform": "forum", "purpose": "patrol", "began_at": at, "outcome": "ok", **empty},
        "captures": {
            **page, "id": 1, "sweep_id": 1, "final_url": "", "fetched_at": at, "status": 200, "sha256": "", "size": 0, "mime": "",
            "via": "http", "sealed": False,
        },
        "postings": {
            **page, "id": 1, "fingerprint": "f", "kind": "post", "title": "", "body": "", "images": [], "links": [], "contacts": [],
            "marked_ad": False, "first_capture_id": 1, "last_capture_id": 1, "first_seen_at": at, "last_seen_at": at, "seen": 1,
        },
        "assessments": {**judged, "id": 1, "matches": [{"rule": "a.b"}, {"rule": "a.b"}]},
        "hits": {"id": 1, "posting_id": 1, "assessment_id": 1, "state": "confirmed", "level": "alert", "score": 0.9, "opened_at": at},
    }  # fmt: skip
    with store.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        old = MetaData()
        old.reflect(connection)
        for name, row in rows.items():
            connection.execute(old.tables[name].insert().values(**row))
        connection.execute(old.tables["assessments"].insert().values(**rows["assessments"] | {"id": 2}))
    assert upgrade(store) == ("0001", revisions()[-1])
    with store.read() as connection:
        found = figures.of_days(connection, "a.b", since=datetime(2026, 11, 1, tzinfo=UTC))
    store.close()
    assert found == {"2026-11-24": figures.Figures(matched=1, hits=1, confirmed=1)}
