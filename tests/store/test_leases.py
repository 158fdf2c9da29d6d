"""Leases of dead workers are freed at once; those of the living, and of other machines, are left alone."""

from __future__ import annotations

from datetime import datetime

from store.captures import lease_unassessed
from store.engine import Store
from store.leases import let_go
from tests.conftest import KeepTexts

DEAD, ALIVE = 111, 222


def _held(store: Store, worker: str, now: datetime) -> int:
    return len(lease_unassessed(store, worker=worker, now=now, limit=1, lease_s=300))


def test_dead_workers_leases_are_freed(any_store: Store, keep_texts: KeepTexts, fixed_now: datetime) -> None:
    keep_texts("一", "二", "三")
    assert [_held(any_store, worker, fixed_now) for worker in (f"here:{DEAD}", f"here:{ALIVE}", f"there:{DEAD}", "here:4")] == [1, 1, 1, 0]
    with any_store.write() as connection:
        assert let_go(connection, host="here", alive=lambda pid: pid == ALIVE, now=fixed_now) == 1
    assert [_held(any_store, "here:5", fixed_now) for _ in range(2)] == [1, 0]


def test_a_host_name_is_no_pattern(any_store: Store, keep_texts: KeepTexts, fixed_now: datetime) -> None:
    keep_texts("一")
    assert _held(any_store, f"herexx:{DEAD}", fixed_now) == 1
    with any_store.write() as connection:
        assert let_go(connection, host="here%", alive=lambda pid: False, now=fixed_now) == 0
        assert let_go(connection, host="here__", alive=lambda pid: False, now=fixed_now) == 0
