from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from domain.clock import utc_now
from domain.model import Assessment, Contact, Document, Grade, Layer, Level, Match, Reason
from pipelines.assess import assess_all, assess_batch
from store import alarms, captures, hits, tables
from store.archive import Archive
from store.engine import Store
from store.moves import move
from tests.conftest import KeepTexts, MakeHarvest


class Promises:
    """A judge by one word, for these tests: 保本 is an alert, 炸 breaks it."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def judge(self, documents: Sequence[Document]) -> list[Assessment]:
        if any("炸" in one.text for one in documents):
            raise ValueError("cannot read this")
        self.seen += [one.text for one in documents]
        return [self._one(one.text) for one in documents]

    def _one(self, text: str) -> Assessment:
        at = text.find("保本")
        if at < 0:
            return Assessment(level=Level.CLEAR, score=0.01, ruleset="test@1", model="none")
        return Assessment(
            level=Level.ALERT, score=0.97, layer=Layer.SUSPECTED_FUNDRAISING, grade=Grade.HIGH, schemes=("wealth_mgmt",),
            matches=(Match(rule="r.1", start=at, end=at + 2, weight=2.0, text="保本"),),
            reasons=(Reason(text="涉嫌承诺保本付息", rule="r.1", articles=("广告法 第25条",), start=at, end=at + 2),),
            ruleset="test@1", model="none",
        )  # fmt: skip


def test_a_suspected_posting_opens_a_hit_with_its_page_sealed(
    any_store: Store, archive: Archive, keep_texts: KeepTexts, fixed_now: datetime
) -> None:
    keep_texts("今晚吃什么", "保本保息，微信号 abc12345")
    done = assess_all(any_store, Promises(), now=lambda: fixed_now, worker="a")
    assert (done.assessed, done.hits, done.faults) == (2, 1, 0)
    with any_store.read() as connection:
        [row] = hits.queue(connection)
        [page] = hits.evidence(connection, row["id"])
        other = connection.execute(select(tables.captures).where(~tables.captures.c.sealed)).one()
        judged = connection.execute(select(tables.assessments).where(tables.assessments.c.posting_id == row["posting_id"])).one()
        posting = connection.execute(select(tables.postings).where(tables.postings.c.id == row["posting_id"])).one()
    assert (row["state"], row["level"], row["grade"], row["score"]) == ("open", "alert", "高危", 0.97)
    assert page["sealed"] and page["warc"].startswith("evidence/") and other.warc.startswith("spool/")
    assert archive.read(page["warc"], page["warc_offset"], page["warc_length"], page["sha256"])
    assert judged.matches == [{"rule": "r.1", "start": 0, "end": 2, "weight": 2.0, "text": "保本", "fold": ""}]
    assert judged.reasons[0]["articles"] == ["广告法 第25条"]
    assert ("wechat", "abc12345") in {(one["kind"], one["value"]) for one in posting.contacts}


def test_contacts_of_the_page_stay_beside_those_of_the_text(
    any_store: Store, archive: Archive, sweep_id: int, make_harvest: MakeHarvest, fixed_now: datetime
) -> None:
    page = make_harvest(1, postings=1)
    given = Contact(kind="qq", value="12345678")
    page = replace(page, postings=(replace(page.postings[0], body="电话 13800138000", contacts=(given,)),))
    captures.keep(any_store, [page], sweep_id=sweep_id, archive=archive)
    assess_all(any_store, Promises(), now=lambda: fixed_now, worker="a")
    with any_store.read() as connection:
        found = connection.execute(select(tables.postings.c.contacts)).scalar_one()
    assert {("qq", "12345678"), ("phone", "13800138000")} <= {(one["kind"], one["value"]) for one in found}


def test_each_posting_is_judged_exactly_once_by_many_workers(any_store: Store, keep_texts: KeepTexts) -> None:
    keep_texts(*(f"保本第{n}号" if n % 5 == 0 else f"闲聊第{n}号" for n in range(60)))
    judges = [Promises() for _ in range(4)]

    def work(number: int) -> None:
        while assess_batch(any_store, judges[number], now=utc_now(), worker=f"w{number}", limit=7).assessed:
            pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = [text for judge in judges for text in judge.seen]
    assert (len(seen), len(set(seen))) == (60, 60)
    with any_store.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.assessments)).scalar() == 60
        assert len(hits.queue(connection, limit=100)) == 12


def test_a_result_that_comes_after_the_lease_lapsed_is_passed_over(any_store: Store, keep_texts: KeepTexts, fixed_now: datetime) -> None:
    keep_texts("保本")
    judge = Promises()
    [row] = captures.lease_unassessed(any_store, worker="slow", now=fixed_now, limit=5, lease_s=60)
    [late] = judge.judge([Document(text="保本")])
    assert assess_batch(any_store, judge, now=fixed_now + timedelta(seconds=61), worker="quick").hits == 1
    assert hits.record(any_store, [(row.id, late)], now=fixed_now + timedelta(seconds=62), worker="slow") == []
    with any_store.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.assessments)).scalar() == 1


def test_a_dead_workers_postings_are_judged_after_its_lease(any_store: Store, keep_texts: KeepTexts, fixed_now: datetime) -> None:
    keep_texts("保本", "闲聊")
    captures.lease_unassessed(any_store, worker="dead", now=fixed_now, limit=5, lease_s=any_store.settings.lease_s)
    assert assess_batch(any_store, Promises(), now=fixed_now, worker="other").assessed == 0
    later = fixed_now + timedelta(seconds=any_store.settings.lease_s)
    assert assess_batch(any_store, Promises(), now=later, worker="other").assessed == 2


def test_a_text_that_breaks_the_judge_blocks_nobody(any_store: Store, keep_texts: KeepTexts, fixed_now: datetime) -> None:
    keep_texts("炸", "保本", "闲聊")
    done = assess_all(any_store, Promises(), now=lambda: fixed_now, worker="a")
    assert (done.assessed, done.hits, done.faults) == (3, 1, 1)
    with any_store.read() as connection:
        assert [row["kind"] for row in alarms.open_alarms(connection)] == ["model"]
        assert connection.execute(select(tables.assessments.c.level).where(tables.assessments.c.ruleset == "none")).scalar_one() == "watch"


def test_new_rules_judge_anew_and_open_no_second_hit(any_store: Store, keep_texts: KeepTexts, fixed_now: datetime) -> None:
    keep_texts("保本", "闲聊")
    assess_all(any_store, Promises(), now=lambda: fixed_now, worker="a")
    with any_store.write() as connection:
        assert captures.requeue(connection, ruleset="test@1", model="none") == 0
        assert captures.requeue(connection, ruleset="test@2", model="none") == 2
    assert assess_all(any_store, Promises(), now=lambda: fixed_now, worker="a").hits == 0
    with any_store.read() as connection:
        [row] = hits.queue(connection)
        newest = connection.execute(select(func.max(tables.assessments.c.id)).where(tables.assessments.c.level == "alert")).scalar()
    assert row["assessment_id"] == newest


def test_a_hit_whose_page_is_gone_opens_with_an_alarm(
    any_store: Store, archive: Archive, keep_texts: KeepTexts, fixed_now: datetime
) -> None:
    keep_texts("保本")
    for _, path in archive.files("spool"):
        path.unlink()
    assert assess_all(any_store, Promises(), now=lambda: fixed_now, worker="a").hits == 1
    with any_store.read() as connection:
        assert [row["kind"] for row in alarms.open_alarms(connection)] == ["lost_evidence"]


def test_stop_ends_between_two_batches(any_store: Store, keep_texts: KeepTexts, fixed_now: datetime) -> None:
    keep_texts("闲聊")
    assert assess_all(any_store, Promises(), now=lambda: fixed_now, worker="a", stop=lambda: True).assessed == 0


def test_a_claim_that_ran_out_is_given_back(any_store: Store, keep_texts: KeepTexts, fixed_now: datetime) -> None:
    keep_texts("保本")
    assess_all(any_store, Promises(), now=lambda: fixed_now, worker="a")
    with any_store.write() as connection:
        number = hits.open_hits(connection)[0]["id"]
        move(connection, "hit", number, "claim", actor="li", at=fixed_now, claimed_by="li", claimed_until=fixed_now + timedelta(minutes=30))
    assert hits.lapse_claims(any_store, now=fixed_now + timedelta(minutes=29)) == 0
    assert hits.lapse_claims(any_store, now=fixed_now + timedelta(minutes=30)) == 1
    with any_store.read() as connection:
        assert hits.count_by_state(connection) == {"open": 1}
        assert hits.hit(connection, number).claimed_by is None


def test_logs_name_no_contact_and_no_text(
    any_store: Store, keep_texts: KeepTexts, fixed_now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    keep_texts("保本保息，电话 13800138000", "炸，加微信 abc12345")
    done = assess_all(any_store, Promises(), now=lambda: fixed_now, worker="a")
    assert (done.hits, done.faults) == (1, 1)
    assert "judge" in caplog.text
    assert not any(word in caplog.text for word in ("13800138000", "abc12345", "保本保息"))
