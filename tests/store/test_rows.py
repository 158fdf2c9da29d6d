"""Runs, alarms, serials, officers, the audit chain and its notes."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select, update

from domain.errors import StoreFault
from store import alarms, anchor, audit, officers, runs, tables, views
from store.engine import Store
from store.serials import next_serial


def test_one_alarm_a_kind_and_subject(any_store: Store, fixed_now: datetime) -> None:
    later = fixed_now + timedelta(hours=1)
    with any_store.write() as connection:
        assert alarms.raise_alarm(connection, kind="wall", subject="platform:a", text="一", now=fixed_now)
        assert not alarms.raise_alarm(connection, kind="wall", subject="platform:a", text="二\x00", now=later)
        assert alarms.raise_alarm(connection, kind="wall", subject="platform:b", text="三", now=fixed_now)
        newest, *_ = alarms.open_alarms(connection)
        assert (newest["subject"], newest["text"], newest["times"], newest["opened_at"], newest["last_at"]) == (
            "platform:a",
            "二",
            2,
            fixed_now,
            later,
        )
        assert alarms.clear(connection, kind="wall", subject="platform:a", by="machine:sweep", now=later)
        assert not alarms.clear(connection, kind="wall", subject="platform:a", by="machine:sweep", now=later)
        assert alarms.raise_alarm(connection, kind="wall", subject="platform:a", text="四", now=later)


def test_an_officer_clears_an_alarm_once(any_store: Store, fixed_now: datetime) -> None:
    with any_store.write() as connection:
        alarms.raise_alarm(connection, kind="disk", subject="var", text="满", now=fixed_now)
        number = alarms.open_alarms(connection)[0]["id"]
        alarms.clear_by_id(connection, number, by="李", now=fixed_now)
        assert alarms.open_alarms(connection) == []
        with pytest.raises(StoreFault, match="not an open alarm"):
            alarms.clear_by_id(connection, number, by="李", now=fixed_now)


def test_runs_prove_the_patrol(any_store: Store, fixed_now: datetime) -> None:
    def at(minutes: float) -> datetime:
        return fixed_now + timedelta(minutes=minutes)

    with any_store.write() as connection:
        first = runs.begin_run(connection, job="sweep:a", now=at(0))
        assert runs.end_run(connection, first, outcome="ok", counts={"pages": 3}, now=at(1))
        assert not runs.end_run(connection, first, outcome="failed", now=at(2))
        second = runs.begin_run(connection, job="sweep:a", now=at(70))
        runs.end_run(connection, second, outcome="failed", why="x\x00", now=at(71))
        runs.missed(connection, job="sweep:a", due_at=at(90), now=at(130), why="the machine was off")
        runs.begin_run(connection, job="assess", now=at(131))
        assert runs.close_orphans(connection, now=at(132)) == 1
        assert runs.last_success(connection, job="sweep:a") == at(1)
        assert runs.last_success(connection, job="sweep:b") is None
        log = runs.hours(connection, since=at(0), until=at(200))
    assert [row["jobs"] for row in log] == [
        {"sweep:a": {"ok": 1}},
        {"sweep:a": {"failed": 1}},
        {"sweep:a": {"missed": 1}, "assess": {"killed": 1}},
        {},
    ]


def test_serials_have_no_gap_and_no_twin(any_store: Store) -> None:
    drawn: list[int] = []

    def draw() -> None:
        for _ in range(10):
            with any_store.write() as connection:
                drawn.append(next_serial(connection, "notice:2026"))

    threads = [threading.Thread(target=draw) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(drawn) == list(range(1, 31))


def test_a_rolled_back_serial_is_drawn_again(any_store: Store) -> None:
    with any_store.engine.connect() as connection, connection.begin() as transaction:
        assert next_serial(connection, "lead:2026") == 1
        transaction.rollback()
    with any_store.write() as connection:
        assert next_serial(connection, "lead:2026") == 1


def test_an_officer_is_known_by_the_password_alone(any_store: Store, fixed_now: datetime) -> None:
    with any_store.write() as connection:
        officers.add(connection, name="li", shown="李某", roles=["approver", "reviewer"], password="correct horse", now=fixed_now)
        found = officers.verify(connection, name="li", password="correct horse")
        assert found is not None and found.roles == ("reviewer", "approver")
        assert officers.verify(connection, name="li", password="wrong horse") is None
        assert officers.verify(connection, name="li", password="\ud800") is None
        assert officers.verify(connection, name="nobody", password="correct horse") is None
        [row] = officers.all_officers(connection)
        assert "secret" not in row
        officers.deactivate(connection, name="li", by="cli", now=fixed_now)
        assert officers.verify(connection, name="li", password="correct horse") is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": " "}, "name"),
        ({"name": "machine:x"}, "name"),
        ({"roles": ["king"]}, "king"),
        ({"roles": []}, "roles"),
        ({"password": "short"}, "8 or more"),
    ],
)
def test_an_account_with_faults_is_refused(store: Store, fixed_now: datetime, fields: dict[str, object], told: str) -> None:
    given: dict[str, object] = {"name": "li", "shown": "李", "roles": ["reviewer"], "password": "correct horse", **fields}
    with store.write() as connection, pytest.raises(StoreFault, match=told):
        officers.add(connection, now=fixed_now, **given)  # type: ignore[arg-type]


def test_a_name_is_given_once(store: Store, fixed_now: datetime) -> None:
    with store.write() as connection:
        officers.add(connection, name="li", shown="李", roles=["admin"], password="correct horse", now=fixed_now)
        with pytest.raises(StoreFault, match="exists"):
            officers.add(connection, name="li", shown="李", roles=["admin"], password="correct horse", now=fixed_now)


def _three(store: Store, now: datetime) -> None:
    for number in range(3):
        with store.write() as connection:
            audit.append(connection, actor="li", action="test", subject=f"hit:{number}", at=now, detail={"序": number})


def _faults(store: Store) -> list[str]:
    with store.read() as connection:
        return [*audit.verify(connection)[1], *anchor.verify(connection, store.settings.dir)[1]]


def test_a_whole_chain_fits_its_notes(any_store: Store, fixed_now: datetime) -> None:
    _three(any_store, fixed_now)
    assert _faults(any_store) == []
    assert len((any_store.settings.dir / anchor.NAME).read_text().splitlines()) == 3


def test_a_rolled_back_row_is_not_noted(any_store: Store, fixed_now: datetime) -> None:
    _three(any_store, fixed_now)

    def broken() -> None:
        with any_store.write() as connection:
            audit.append(connection, actor="li", action="test", subject="hit:9", at=fixed_now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    with any_store.write() as connection:
        connection.execute(select(tables.audit.c.seq))
    assert len((any_store.settings.dir / anchor.NAME).read_text().splitlines()) == 3
    assert _faults(any_store) == []


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_a_changed_row_is_found(any_store: Store, fixed_now: datetime, seq: int) -> None:
    _three(any_store, fixed_now)
    with any_store.write() as connection:
        connection.execute(update(tables.audit).where(tables.audit.c.seq == seq).values(actor="wang"))
    assert any(f"audit:{seq}:" in fault for fault in _faults(any_store))


def test_a_cut_tail_is_found_by_the_notes(any_store: Store, fixed_now: datetime) -> None:
    _three(any_store, fixed_now)
    with any_store.write() as connection:
        connection.execute(delete(tables.audit).where(tables.audit.c.seq == 3))
        assert audit.verify(connection)[1] == []
    assert [fault for fault in _faults(any_store) if "audit:3" in fault and "cut off" in fault]


def test_concurrent_writers_make_one_chain(any_store: Store, fixed_now: datetime) -> None:
    threads = [threading.Thread(target=_three, args=(any_store, fixed_now)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with any_store.read() as connection:
        assert audit.verify(connection) == (12, [])
    assert _faults(any_store) == []


@pytest.mark.parametrize("odd", ["wa\x00ng", "wang\ud800"])
def test_odd_names_are_asked_for_and_found_by_nobody_else(any_store: Store, fixed_now: datetime, odd: str) -> None:
    with any_store.write() as connection:
        assert officers.verify(connection, name=f"{odd}x", password=odd) is None
        assert officers.get(connection, f"{odd}x") is None
        assert views.officer(connection, f"{odd}x") is None
        everywhere = views.QueueFilter(level=odd, grade=odd, scheme=odd, platform=odd, state=odd)
        assert list(views.queue(connection, everywhere, officer=odd)) == []
        assert alarms.raise_alarm(connection, kind="wall", subject=odd, text=odd, now=fixed_now)
        assert alarms.clear(connection, kind="wall", subject=odd, by="li", now=fixed_now)
