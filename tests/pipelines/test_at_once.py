"""Two officers in the same second, on SQLite and on PostgreSQL: one of them is told, and nothing happens twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from domain.errors import PatrolError
from pipelines import refer, review, warn
from pipelines.dossier import manifest_hash, seal
from store import audit, tables
from store.archive import Archive
from store.engine import Store
from tests.pipelines.conftest import House


def at_once(*calls: Callable[[], Any]) -> list[PatrolError]:
    """All calls begun together: the refusals. Anything but a refusal of ours is raised."""
    gate = threading.Barrier(len(calls))

    def one(call: Callable[[], Any]) -> PatrolError | None:
        gate.wait(10)
        try:
            call()
        except PatrolError as refusal:
            return refusal
        return None

    with ThreadPoolExecutor(len(calls)) as pool:
        return [error for error in pool.map(one, calls) if error]


def count(store: Store, table: Any) -> int:
    with store.read() as conn:
        assert audit.verify(conn)[1] == []
        return int(conn.execute(select(func.count()).select_from(table)).scalar_one())


def test_two_claims(any_store: Store, make_house: Callable[[Store], House]) -> None:
    house = make_house(any_store)
    hit = house.hit()
    refused = at_once(*(lambda name=name: review.claim(any_store, hit, officer=name, now=house.now) for name in ("wang", "li")))
    assert len(refused) == 1


def test_two_decisions_of_one_officer(any_store: Store, make_house: Callable[[Store], House]) -> None:
    house = make_house(any_store)
    hit = house.hit()
    review.claim(any_store, hit, officer="wang", now=house.now)

    def decide(outcome: Any) -> str:
        return review.decide(any_store, hit, officer="wang", outcome=outcome, reason="已核对", now=house.now)

    assert len(at_once(lambda: decide("confirmed"), lambda: decide("dismissed"))) == 1
    assert count(any_store, tables.decisions) == 1


def test_two_approvals_of_a_notice(any_store: Store, make_house: Callable[[Store], House]) -> None:
    house = make_house(any_store)
    notice = warn.draft(any_store, house.confirmed(), officer="wang", channel="folder", now=house.now)
    refused = at_once(*(lambda name=name: warn.approve(any_store, notice, officer=name, now=house.now) for name in ("zhao", "sun")))
    assert len(refused) == 1
    assert count(any_store, tables.deliveries) == 1


def test_approval_and_withdrawal_of_a_notice(any_store: Store, make_house: Callable[[Store], House]) -> None:
    house = make_house(any_store)
    notice = warn.draft(any_store, house.confirmed(), officer="wang", channel="folder", now=house.now)
    at_once(
        lambda: warn.approve(any_store, notice, officer="zhao", now=house.now),
        lambda: warn.withdraw(any_store, notice, officer="sun", reason="重复", now=house.now),
    )
    with any_store.read() as conn:
        due = conn.execute(select(func.count()).where(tables.deliveries.c.state == "due")).scalar_one()
    assert (house.state("notices", notice), due) in (("queued", 1), ("withdrawn", 0), ("discarded", 0))
    count(any_store, tables.notices)


def test_two_approvals_of_a_lead(any_store: Store, make_house: Callable[[Store], House]) -> None:
    house = make_house(any_store)
    lead = house.submitted_lead()
    later = {"zhao": house.now, "sun": house.now + timedelta(seconds=1)}
    refused = at_once(*(lambda name=name: refer.approve(any_store, lead, officer=name, now=later[name]) for name in later))
    assert len(refused) == 1
    assert count(any_store, tables.deliveries) == 1
    assert letter_names_its_dossier(any_store, house, lead)


def test_dossier_sealed_after_the_signature_is_not_the_one_that_goes_out(store: Store, house: House) -> None:
    lead = house.submitted_lead()
    refer.approve(store, lead, officer="zhao", now=house.now)
    other = seal(store, lead, now=house.now + timedelta(hours=1))  # as the slower of two approvers does
    row: Any = house.row("leads", lead)
    assert other != row.dossier_sha256
    assert letter_names_its_dossier(store, house, lead)


def letter_names_its_dossier(store: Store, house: House, lead: int) -> bool:
    row: Any = house.row("leads", lead)
    return manifest_hash(Archive(store.settings.archive_dir).blob(row.dossier_sha256)) == row.body["manifest_sha256"]


def test_two_drafts_over_one_hit(any_store: Store, make_house: Callable[[Store], House]) -> None:
    house = make_house(any_store)
    hit = house.confirmed()
    at_once(*(lambda name=name: warn.draft(any_store, hit, officer=name, channel="folder", now=house.now) for name in ("wang", "li")))
    assert count(any_store, tables.notices) == 1
