"""The whole loop of papers on SQLite and on PostgreSQL: one code, one result."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from pipelines import recheck, refer, review, warn
from pipelines.channels.folder import FolderChannel
from pipelines.dispatch import dispatch_due
from pipelines.report import patrol_log, reconcile
from store import audit
from store.engine import Store
from tests.pipelines.conftest import House


def test_from_a_hit_to_closed_papers(any_store: Store, make_house: Callable[[Store], House]) -> None:
    house = make_house(any_store)
    hit = house.confirmed()
    notice = warn.draft(any_store, hit, officer="wang", channel="folder", now=house.now)
    warn.approve(any_store, notice, officer="zhao", now=house.now)
    lead = house.submitted_lead(hit)
    refer.approve(any_store, lead, officer="zhao", now=house.now)
    assert dispatch_due(any_store, {"folder": FolderChannel(any_store.settings)}, now=house.now, worker="w").delivered == 2
    refer.receipt(any_store, lead, number="收1号", officer="li", now=house.now)
    assert refer.feedback(any_store, lead, outcome="returned", text="未达标准", officer="li", now=house.now) == "administrative"
    (item,) = recheck.due(any_store, house.now + timedelta(days=1))
    sweep, _ = house.kept(purpose="recheck", status=404, postings=False, body="gone")
    assert recheck.settle(any_store, item.notice_id, sweep_id=sweep, now=house.now) == "rectified"
    refer.close(any_store, lead, officer="li", reason="市场监管已处理", now=house.now)
    assert house.state("hits", hit) == "closed"
    assert refer.overdue(any_store, now=house.now + timedelta(days=99)) == 0
    (row,) = patrol_log(any_store, since=house.now, until=house.now + timedelta(minutes=1))
    assert (row.counts["notices_sent"], row.counts["receipts"], row.platforms["forum"].ok) == (1, 1, 1)
    assert reconcile(any_store, now=house.now).lost == 0
    with any_store.read() as conn:
        assert audit.verify(conn)[1] == []


def test_claims_lapse(any_store: Store, make_house: Callable[[Store], House]) -> None:
    house = make_house(any_store)
    hit = house.hit()
    until = review.claim(any_store, hit, officer="wang", now=house.now)
    review.claim(any_store, hit, officer="li", now=until + timedelta(seconds=1))
    assert house.state("hits", hit) == "claimed"
