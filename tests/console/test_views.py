"""The console's reading, on both databases."""

from __future__ import annotations

from datetime import datetime

from store import papers, views
from store.engine import Store
from store.views import QueueFilter
from tests.console import seed


def test_console_reads_the_same_on_both_databases(any_store: Store, fixed_now: datetime) -> None:
    seed.add_officers(any_store)
    made = seed.add_queue(any_store, now=fixed_now, count=14)
    seed.add_day(any_store, now=fixed_now)
    with any_store.read() as conn:
        everything = views.queue(conn, QueueFilter(), officer="chen")
        assert [row.id for row in everything] == views.queue_ids(conn, QueueFilter(), officer="chen")
        assert sorted(row.id for row in everything) == made
        assert {row.schemes[0] for row in views.queue(conn, QueueFilter(scheme="rebate"), officer="chen")} == {"rebate"}
        assert views.queue_size(conn, QueueFilter(scheme="_ebate"), officer="chen") == 0
        assert "rebate" in views.queue_choices(conn)["schemes"]
        wealth = next(row for row in everything if row.schemes == ["wealth_mgmt"])
        assert wealth.campaign_size == len(views.relatives(conn, campaign_id=wealth.campaign_id, but=wealth.id)) + 1
        found = views.campaign(conn, wealth.campaign_id)
        assert found is not None
        assert {tie.kind for tie in found[1]} == {"phone", "text"}
        counts = views.day_counts(conn, since=fixed_now.replace(hour=0), now=fixed_now)
        assert counts["waiting"] == 14
        assert counts["oldest_wait_s"] > 0
        facts = {row.platform: row for row in papers.platform_facts(conn)}
        assert facts["demo-captcha"].ok_at is None
        assert facts["demo-forum"].ok_at is not None
        assert {row.job: row.failed for row in papers.job_facts(conn, since=fixed_now.replace(hour=0, minute=0))}["assess"] == 0
        assert papers.pulse(conn)[0] == 4
        assert papers.todo(conn) == {"notices": 0, "leads": 0}
        assert set(views.overdue(conn, now=fixed_now).values()) == {0}
        assert len(views.whole_queue(conn)) == 14
