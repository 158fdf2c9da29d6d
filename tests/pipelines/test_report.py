"""The patrol log shows every hour and every platform; the reconciliation names whatever fell between two stages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, update

from domain.model import Level
from pipelines import refer, warn
from pipelines.channels.folder import FolderChannel
from pipelines.dispatch import dispatch_due
from pipelines.report import patrol_log, reconcile
from store import captures, runs, tables
from tests.pipelines.conftest import House

HOUR = timedelta(hours=1)


def send(house: House) -> None:
    dispatch_due(house.store, {"folder": FolderChannel(house.store.settings)}, now=house.now, worker="w", limit=20)


def test_every_hour_and_every_platform_has_its_row(house: House) -> None:
    house.kept()
    with house.store.write() as conn:
        sweep = captures.begin_sweep(conn, platform="portal", purpose="patrol", at=house.now + HOUR, pid=None)
        captures.end_sweep(conn, sweep, outcome="walled", why="验证码", counts={}, at=house.now + HOUR)
        runs.missed(conn, job="sweep:forum", due_at=house.now + HOUR, now=house.now + HOUR, why="the machine was off")
    rows = patrol_log(house.store, since=house.now - HOUR, until=house.now + 2 * HOUR)
    assert [row.hour.hour for row in rows] == [7, 8, 9, 10]
    assert rows[0].platforms == {}
    assert (rows[1].platforms["forum"].ok, rows[1].counts["captures"], rows[1].counts["postings"]) == (1, 1, 1)
    assert rows[1].platforms["forum"].last_success == house.now
    assert rows[2].platforms["portal"].failures == ["walled: 验证码"]
    assert rows[2].platforms["portal"].last_success is None
    assert (rows[2].platforms["forum"].missed, rows[2].platforms["forum"].last_success) == (1, house.now)
    assert rows[3].platforms["forum"].ok == 0
    assert rows[1].as_json()["platforms"]["forum"]["last_success"] == "2026-11-23 16:05"


def test_an_hour_counts_what_people_and_machines_did(house: House) -> None:
    house.queued_notice(channel="folder")
    send(house)
    (row,) = patrol_log(house.store, since=house.now, until=house.now + timedelta(minutes=1))
    assert {name: row.counts[name] for name in ("hits", "decisions", "notices_sent", "deliveries")} == {
        "hits": 1, "decisions": 1, "notices_sent": 1, "deliveries": 1,
    }  # fmt: skip


def whole_loop(house: House) -> None:
    """A hit that was warned about and referred, all of it delivered."""
    hit = house.confirmed()
    notice = warn.draft(house.store, hit, officer="wang", channel="folder", now=house.now)
    warn.approve(house.store, notice, officer="zhao", now=house.now)
    lead = house.submitted_lead(hit)
    refer.approve(house.store, lead, officer="zhao", now=house.now)
    send(house)


def test_a_whole_loop_leaves_nothing_between(house: House) -> None:
    whole_loop(house)
    found = reconcile(house.store, now=house.now + timedelta(days=60))
    assert found.lost == 0, found.as_json()


def set_(table: Any, **values: Any) -> Callable[[Connection], Any]:
    return lambda conn: conn.execute(update(table).values(**values))


DAMAGES: dict[str, Callable[[Connection], Any]] = {
    "captures_without_bytes": set_(tables.captures, warc=None),
    "notices_unwatched": set_(tables.notices, recheck_at=None),
    "leads_without_receipt": set_(tables.leads, channel="police"),
    "leads_returned": set_(tables.leads, state="returned"),
    "deliveries_without_receipt": set_(tables.deliveries, receipt=None),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_what_falls_between_is_named_with_its_ids(house: House, kind: str) -> None:
    whole_loop(house)
    with house.store.write() as conn:
        DAMAGES[kind](conn)
    found = reconcile(house.store, now=house.now)
    assert found.lost >= 1
    assert 1 in found.by_kind()[kind]
    assert found.as_json()["gaps"][kind] == found.by_kind()[kind]


def test_papers_without_a_delivery_are_found(house: House) -> None:
    whole_loop(house)
    with house.store.write() as conn:
        conn.execute(delete(tables.deliveries))
        conn.execute(update(tables.notices).values(state="queued"))
        conn.execute(update(tables.leads).values(state="approved"))
    gaps = reconcile(house.store, now=house.now).by_kind()
    assert (gaps["notices_unsent"], gaps["leads_unsent"]) == ([1], [1])


def test_bytes_that_are_gone_from_the_disk_are_found(house: House) -> None:
    whole_loop(house)
    path = house.store.settings.archive_dir / house.row("captures", 1).warc  # type: ignore[attr-defined]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-10])
    assert reconcile(house.store, now=house.now).by_kind()["captures_without_bytes"] == [1]
    path.unlink()
    assert reconcile(house.store, now=house.now).by_kind()["captures_without_bytes"] == [1]


def test_a_posting_left_by_its_judge_is_found(house: House) -> None:
    _, posting = house.kept()
    assert reconcile(house.store, now=house.now).lost == 0
    captures.lease_unassessed(house.store, worker="dead", now=house.now, limit=5, lease_s=300)
    assert reconcile(house.store, now=house.now + timedelta(minutes=9)).lost == 0
    assert reconcile(house.store, now=house.now + timedelta(minutes=11)).by_kind()["postings_unjudged"] == [posting]


def test_a_suspected_posting_without_a_hit_is_found(house: House) -> None:
    _, posting = house.kept()
    assert posting is not None
    house.judge(posting, level=Level.REVIEW)
    with house.store.write() as conn:
        conn.execute(delete(tables.hit_rules))
        conn.execute(delete(tables.hits))
    assert reconcile(house.store, now=house.now).by_kind()["suspected_without_hit"] == [posting]


def test_a_confirmed_hit_that_nobody_acts_on_is_found_after_its_grace(house: House) -> None:
    hit = house.confirmed()
    assert reconcile(house.store, now=house.now + timedelta(hours=23)).lost == 0
    assert reconcile(house.store, now=house.now + timedelta(hours=25)).by_kind()["confirmed_without_action"] == [hit]


def test_leases_and_sweeps_that_nobody_ended_are_found(house: House) -> None:
    house.queued_notice(channel="folder")
    with house.store.write() as conn:
        conn.execute(update(tables.deliveries).values(state="sending", leased_until=house.now))
        captures.begin_sweep(conn, platform="forum", purpose="patrol", at=house.now, pid=1)
    gaps = reconcile(house.store, now=house.now + 2 * HOUR).by_kind()
    assert gaps["deliveries_stuck"] == [1]
    assert gaps["sweeps_unended"] == [2]
