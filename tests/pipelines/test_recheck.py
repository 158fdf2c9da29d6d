"""Rechecks: what stands on the page settles the notice, and what tells nothing settles nothing."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from domain.model import Level
from pipelines import recheck, warn
from pipelines.channels.folder import FolderChannel
from pipelines.dispatch import dispatch_due
from pipelines.report import reconcile
from store import tables
from tests.pipelines.conftest import PROMO, House

URL = "https://forum.example/thread-1"
EDITED = "本店新到土特产，欢迎选购。"


@pytest.fixture
def sent(house: House) -> int:
    """A notice that was delivered."""
    notice = house.queued_notice(channel="folder")
    dispatch_due(house.store, {"folder": FolderChannel(house.store.settings)}, now=house.now, worker="w")
    return notice


def look(house: House, notice: int, *, after_h: float = 24, judged: Level | None = None, outcome: str = "ok", **page: object) -> str:
    """One recheck sweep that finds `page`, and what it says."""
    house.now += timedelta(hours=after_h)
    sweep, posting = house.kept(purpose="recheck", **page)  # type: ignore[arg-type]
    if judged is not None:
        assert posting is not None
        house.judge(posting, text=str(page["text"]), level=judged)
    with house.store.write() as conn:
        conn.execute(update(tables.sweeps).where(tables.sweeps.c.id == sweep).values(outcome=outcome))
    return recheck.settle(house.store, notice, sweep_id=sweep, now=house.now)


def test_due_when_its_hour_has_come(house: House, sent: int) -> None:
    assert recheck.due(house.store, house.now) == []
    (item,) = recheck.due(house.store, house.now + timedelta(hours=24))
    assert (item.notice_id, item.platform, item.url) == (sent, "forum", URL)


def test_the_spiders_list_names_each_page_once(house: House, sent: int) -> None:
    item = recheck.Due(notice_id=sent, platform="forum", url=URL)
    other = recheck.Due(notice_id=9, platform="forum", url=URL + "#3")
    path = recheck.write_visits(house.store.settings.dir / "visits" / "one.jsonl", [item, other])
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"url": URL, "notice": sent}]


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_gone_is_rectified(house: House, sent: int, status: int) -> None:
    assert look(house, sent, status=status, postings=False, body="gone") == "rectified"
    row = house.row("notices", sent)
    assert (row.state, row.down_at, row.rechecks) == ("rectified", house.now, 1)  # type: ignore[attr-defined]


def test_the_same_words_persist(house: House, sent: int) -> None:
    assert look(house, sent) == "persists"
    assert house.state("notices", sent) == "persists"
    assert look(house, sent) == "persists"
    assert house.row("notices", sent).recheck_at == house.now + timedelta(hours=24)  # type: ignore[attr-defined]
    assert look(house, sent, status=404, postings=False, body="gone") == "rectified"


def test_an_edit_judged_below_review_is_rectified(house: House, sent: int) -> None:
    assert look(house, sent, text=EDITED, judged=Level.CLEAR) == "rectified"


def test_an_edit_still_suspected_persists(house: House, sent: int) -> None:
    assert look(house, sent, text="稳赚不赔，保本保息，月息三分", judged=Level.REVIEW) == "persists"


def test_an_edit_not_judged_yet_waits(house: House, sent: int) -> None:
    assert look(house, sent, text=EDITED) == "unknown"
    assert house.state("notices", sent) == "sent"


def test_a_posting_that_left_its_page_is_rectified(house: House, sent: int) -> None:
    assert look(house, sent, postings=False, body="<html><p>该帖已删除</p></html>") == "rectified"


@pytest.mark.parametrize(
    "body", [f"<html><div>{PROMO}</div></html>", "<b>稳健理财</b>，<i>保本 保息</i>，年化收益18%，到期返还本金！", json.dumps({"c": PROMO})]
)
def test_a_changed_layout_is_no_removal(house: House, sent: int, body: str) -> None:
    assert look(house, sent, postings=False, body=body) == "persists"


@pytest.mark.parametrize("status", [0, 401, 403, 429, 500, 503, 302])
def test_walls_and_errors_tell_nothing(house: House, sent: int, status: int) -> None:
    assert look(house, sent, status=status, postings=False, body="wall") == "unknown"
    assert house.state("notices", sent) == "sent"


@pytest.mark.parametrize("outcome", ["walled", "failed", "killed", "timed_out", "drifted"])
def test_a_sweep_that_ended_badly_proves_no_absence(house: House, sent: int, outcome: str) -> None:
    assert look(house, sent, postings=False, body="<html></html>", outcome=outcome) == "unknown"


def test_no_capture_at_all_is_tried_again_ever_later(house: House, sent: int) -> None:
    waits = []
    for _ in range(8):
        assert look(house, sent, url="https://forum.example/other", text="别的帖子") == "unknown"
        waits.append((house.row("notices", sent).recheck_at - house.now).total_seconds() / 3600)  # type: ignore[attr-defined]
    assert waits == [6, 12, 24, 48, 96, 168, 168, 168]


def test_what_came_down_is_looked_at_again_and_may_come_back(house: House, sent: int) -> None:
    gone = {"status": 404, "postings": False, "body": "gone"}
    look(house, sent, **gone)  # type: ignore[arg-type]
    down = house.now
    assert house.row("notices", sent).recheck_at == down + timedelta(days=3)  # type: ignore[attr-defined]
    assert look(house, sent, after_h=72, **gone) == "rectified"  # type: ignore[arg-type]
    assert house.row("notices", sent).recheck_at == down + timedelta(days=14)  # type: ignore[attr-defined]
    assert look(house, sent, after_h=264) == "persists"
    assert house.state("notices", sent) == "persists"
    assert look(house, sent, **gone) == "rectified"  # type: ignore[arg-type]


def test_after_the_last_look_a_rectified_notice_rests(house: House, sent: int) -> None:
    gone = {"status": 404, "postings": False, "body": "gone"}
    for after in (24, 72, 264):
        look(house, sent, after_h=after, **gone)  # type: ignore[arg-type]
    assert house.row("notices", sent).recheck_at is None  # type: ignore[attr-defined]
    assert reconcile(house.store, now=house.now, grace=timedelta(days=90)).lost == 0


def test_an_appealed_notice_is_left_alone(house: House, sent: int) -> None:
    warn.answer(house.store, sent, kind="appeal", text="有牌照", now=house.now)
    assert recheck.due(house.store, house.now + timedelta(days=9)) == []
