"""Learning from officers: decisions and labels as rows, and the sample of a day. On both databases."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from classifiers import dataset
from console.words import LABELS, QUICK_REASONS
from domain.errors import NotPermitted, StoreFault
from domain.model import Assessment, Level, Score
from pipelines import learn, review
from rules.loader import RuleSet, load
from store import audit, captures, hits, lessons, tables, views
from store.engine import Store
from tests.pipelines.conftest import PROMO, House
from tests.pipelines.test_caps import write_pack

OTHER = "购物返利平台招募代理，消费全返，推荐有奖，加微信 fanli_2026 了解，官网 www.fanli2026.com"
PLAIN = "本周六上午社区公园有合唱比赛，欢迎居民到场观看。"


@pytest.fixture
def ruleset(tmp_path: Path) -> RuleSet:
    return load(write_pack(tmp_path / "pack"))


@pytest.fixture
def town(any_store: Store, make_house: Callable[[Store], House]) -> House:
    return make_house(any_store)


def _decide(house: House, hit: int, outcome: Any, *, reason: str = "面向公众承诺回报", officer: str = "wang", after_h: float = 0) -> None:
    at = house.now + timedelta(hours=after_h)
    review.claim(house.store, hit, officer=officer, now=at)
    review.decide(house.store, hit, officer=officer, outcome=outcome, reason=reason, now=at)


def _watched(house: House, text: str, number: int, *, score: float = 0.3, rules: float = 0.3) -> int:
    """A posting at watch: its id."""
    _, posting = house.kept(text=text, url=f"https://forum.example/watched-{number}")
    assert posting is not None
    scores = (Score(classifier="keyword", version="1", value=rules), Score(classifier="neural", version="m", value=score))
    one = Assessment(level=Level.WATCH, score=score, scores=scores, ruleset="pack@abc", model="m")
    assert hits.record(house.store, [(posting, one)], now=house.now) == []
    return posting


def test_confirmed_and_dismissed_hits_become_rows_of_the_schema(town: House, ruleset: RuleSet, tmp_path: Path) -> None:
    _decide(town, town.hit(), "confirmed")
    _decide(
        town,
        town.hit(url="https://forum.example/2", text=PLAIN + "保本保息"),
        "dismissed",
        reason="新闻报道、裁判文书或学术讨论，见首段",
        after_h=1,
    )
    done = learn.export(town.store, tmp_path / "rows.jsonl", ruleset=ruleset, since=None, now=town.now)
    first, second = dataset.read(tmp_path / "rows.jsonl")
    assert (done.rows, done.labels) == (2, {"fundraising_promo": 1, "news": 1})
    assert (first.label, first.schemes, first.source, first.readers, first.sure) == (
        "fundraising_promo",
        ("wealth_mgmt",),
        "decisions",
        1,
        True,
    )
    assert (second.label, second.schemes, second.date) == ("news", (), "2026-11-23")


def test_nobody_is_named_and_nobody_can_be_reached(town: House, ruleset: RuleSet, tmp_path: Path) -> None:
    _decide(town, town.hit(), "confirmed", reason="王某查证属实，电话13911112222")
    _decide(town, town.hit(url="https://forum.example/2", text=OTHER + "保本保息"), "confirmed")
    path = tmp_path / "rows.jsonl"
    learn.export(town.store, path, ruleset=ruleset, since=None, now=town.now)
    text = path.read_text("utf-8")
    for secret in ("wang", "王某", "13911112222", "wenying8888", "13800138000", "fanli_2026", "fanli2026", "稳盈财富", "editor@"):
        assert secret not in text
    assert set(json.loads(text.splitlines()[0])) == {"text", "label", "scheme", "source", "group", "date", "readers", "sure"}


def test_the_same_decisions_give_the_same_bytes(town: House, ruleset: RuleSet, tmp_path: Path) -> None:
    for number in range(3):
        _decide(town, town.hit(url=f"https://forum.example/{number}", text=PROMO + str(number)), "confirmed", after_h=3 - number)
    one, two = (
        learn.export(town.store, tmp_path / name, ruleset=ruleset, since=None, now=town.now + timedelta(days=day))
        for day, name in enumerate(("one", "two"))
    )
    assert one.sha256 == two.sha256
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_rows_stand_in_the_order_of_their_decisions(town: House, ruleset: RuleSet) -> None:
    texts = [f"{PLAIN * 3}第{word}篇保本保息{word * 20}" for word in "甲乙丙"]
    for number, text in enumerate(texts):
        _decide(town, town.hit(url=f"https://forum.example/{number}", text=text), "confirmed", after_h=9 - number)
    assert [row["text"][-1] for row in learn.rows(town.store, ruleset=ruleset)] == ["丙", "乙", "甲"]


def test_a_reopened_hit_is_left_out_and_its_last_decision_stands(town: House, ruleset: RuleSet) -> None:
    hit = town.hit()
    _decide(town, hit, "confirmed")
    review.reopen(town.store, hit, officer="wang", reason="看错了，再看", now=town.now)
    assert learn.rows(town.store, ruleset=ruleset) == []
    _decide(town, hit, "dismissed", reason="反诈、普法或监管提示宣传", after_h=1)
    assert [row["label"] for row in learn.rows(town.store, ruleset=ruleset)] == ["education"]


def test_two_officers_make_two_readers(town: House, ruleset: RuleSet) -> None:
    town.store.settings = town.store.settings.model_copy(update={"two_person_review": True})
    hit = town.hit()
    _decide(town, hit, "confirmed")
    assert learn.rows(town.store, ruleset=ruleset) == []
    _decide(town, hit, "confirmed", officer="li", after_h=1)
    assert [row["readers"] for row in learn.rows(town.store, ruleset=ruleset)] == [2]


def test_a_reason_in_own_words_says_only_what_it_is_not(town: House, ruleset: RuleSet) -> None:
    _decide(town, town.hit(), "dismissed", reason="看过了，不是")
    assert [(row["label"], row["sure"]) for row in learn.rows(town.store, ruleset=ruleset)] == [("other", 0)]


def test_an_illegal_finance_scheme_gives_the_other_promo(town: House, ruleset: RuleSet) -> None:
    _decide(town, town.hit(), "confirmed")
    with town.store.write() as conn:
        conn.execute(update(tables.assessments).values(schemes=["loan"]))
    assert [(row["label"], row["scheme"]) for row in learn.rows(town.store, ruleset=ruleset)] == [("illegal_finance_promo", "loan")]


def test_hits_of_one_campaign_and_near_duplicates_share_a_group(town: House, ruleset: RuleSet) -> None:
    made = [
        town.hit(url=f"https://forum.example/{number}", text=text + "保本保息")
        for number, text in enumerate((PROMO, PROMO.replace("18", "24"), OTHER, PLAIN * 3))
    ]
    for number, hit in enumerate(made):
        _decide(town, hit, "confirmed", after_h=number)
    with town.store.write() as conn:
        campaign = conn.execute(insert(tables.campaigns).values(opened_at=town.now, title="同源")).inserted_primary_key
        assert campaign is not None
        conn.execute(update(tables.hits).where(tables.hits.c.id.in_(made[1:3])).values(campaign_id=campaign[0]))
    groups = [row["group"] for row in learn.rows(town.store, ruleset=ruleset)]
    assert groups[:3] == [f"decisions:campaign-{campaign[0]}"] * 3
    assert groups[3].startswith("decisions:near-")


def test_since_leaves_out_what_was_decided_before_and_keeps_the_groups(town: House, ruleset: RuleSet) -> None:
    for number in range(2):
        hit = town.hit(url=f"https://forum.example/{number}", text=PROMO + str(number))
        _decide(town, hit, "confirmed", after_h=24 * number)
    every = learn.rows(town.store, ruleset=ruleset)
    assert learn.rows(town.store, ruleset=ruleset, since=date(2026, 11, 24)) == every[1:]


def test_what_retention_blanked_teaches_nothing(town: House, ruleset: RuleSet) -> None:
    _decide(town, town.hit(), "dismissed")
    with town.store.write() as conn:
        conn.execute(update(tables.postings).values(title="", body="", images=[]))
    assert learn.rows(town.store, ruleset=ruleset) == []


def test_an_export_is_audited_and_a_full_disk_leaves_the_old_file(
    town: House, ruleset: RuleSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("old\n", "utf-8")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("domain.wholefile.os.fsync", full)
    with pytest.raises(StoreFault, match=r"rows\.jsonl: cannot be written: No space left"):
        learn.export(town.store, path, ruleset=ruleset, since=None, now=town.now)
    assert path.read_text("utf-8") == "old\n"
    with town.store.read() as conn:
        assert [row.action for row in views.audit_of(conn, "decisions")] == ["decisions.export"]


def test_every_quick_dismissal_of_the_console_has_its_label() -> None:
    assert tuple(learn.DISMISSED_AS) == QUICK_REASONS["dismissed"]
    assert set(learn.DISMISSED_AS.values()) <= set(dataset.LABELS)
    assert tuple(LABELS) == dataset.LABELS


def test_the_sample_is_bounded_and_begins_with_doubt(town: House) -> None:
    town.store.settings = town.store.settings.model_copy(update={"label_sample": 4})
    made = [_watched(town, f"{PLAIN}{number}", number, score=0.1 + number / 50, rules=0.1) for number in range(9)]
    ids, done = learn.offered(town.store, review=0.5, now=town.now)
    assert (len(ids), len(set(ids)), done) == (4, 4, 0)
    assert ids[0] == made[-1]
    assert learn.offered(town.store, review=0.5, now=town.now) == (ids, 0)


def test_a_label_opens_no_hit_and_is_marked_in_the_audit_log(town: House, ruleset: RuleSet) -> None:
    posting = _watched(town, OTHER, 1)
    learn.give(town.store, posting, officer="wang", label="fundraising_promo", scheme="rebate", now=town.now)
    with town.store.read() as conn:
        (row,) = views.audit_of(conn, f"posting:{posting}")
        detail = conn.execute(select(tables.audit.c.detail).where(tables.audit.c.seq == row.seq)).scalar_one()
        assert (row.actor, row.action, detail["for"]) == ("wang", "label.give", "training")
        assert conn.execute(select(tables.hits)).all() == []
        assert audit.verify(conn)[1] == []
    (lesson,) = learn.rows(town.store, ruleset=ruleset)
    assert (lesson["label"], lesson["scheme"], lesson["readers"], lesson["source"]) == ("fundraising_promo", "rebate", 1, "decisions")


def test_a_labelled_text_is_offered_no_more_and_counts_for_the_day(town: House) -> None:
    first, second = _watched(town, PLAIN, 1), _watched(town, OTHER, 2)
    learn.give(town.store, first, officer="wang", label="other", now=town.now)
    learn.give(town.store, second, officer="wang", label="", now=town.now)
    assert learn.offered(town.store, review=0.5, now=town.now) == ([], 2)
    assert learn.offered(town.store, review=0.5, now=town.now + timedelta(days=1)) == ([], 0)


def test_a_text_passed_over_teaches_nothing(town: House, ruleset: RuleSet) -> None:
    learn.give(town.store, _watched(town, PLAIN, 1), officer="wang", label="", now=town.now)
    assert learn.rows(town.store, ruleset=ruleset) == []


def test_ones_own_label_is_replaced_and_anothers_is_not(town: House, ruleset: RuleSet) -> None:
    posting = _watched(town, PLAIN, 1)
    learn.give(town.store, posting, officer="wang", label="news", now=town.now)
    learn.give(town.store, posting, officer="wang", label="other", now=town.now)
    with pytest.raises(StoreFault, match="已由他人标注"):
        learn.give(town.store, posting, officer="li", label="news", now=town.now)
    assert [row["label"] for row in learn.rows(town.store, ruleset=ruleset)] == ["other"]


def test_nothing_is_labelled_beyond_the_days_sample(town: House) -> None:
    town.store.settings = town.store.settings.model_copy(update={"label_sample": 1})
    learn.give(town.store, _watched(town, PLAIN, 1), officer="wang", label="other", now=town.now)
    with pytest.raises(StoreFault, match="今日标注已满 1 条"):
        learn.give(town.store, _watched(town, OTHER, 2), officer="wang", label="other", now=town.now)


@pytest.mark.parametrize(("label", "scheme"), [("illegal", ""), ("news", "rebate"), ("fundraising_promo", "nonsense")])
def test_an_unknown_label_or_scheme_is_refused(town: House, label: str, scheme: str) -> None:
    with pytest.raises(StoreFault, match="请在页面中选择"):
        learn.give(town.store, _watched(town, PLAIN, 1), officer="wang", label=label, scheme=scheme, now=town.now)


def test_only_reviewers_label(town: House) -> None:
    with pytest.raises(NotPermitted):
        learn.give(town.store, _watched(town, PLAIN, 1), officer="qian", label="other", now=town.now)


def test_a_text_in_the_queue_is_decided_and_not_labelled(town: House) -> None:
    hit = town.hit()
    with town.store.read() as conn:
        posting = int(hits.hit(conn, hit).posting_id)
        assert lessons.unlabelled(conn, now=town.now) == []
    with pytest.raises(StoreFault, match="已进入复核队列"):
        learn.give(town.store, posting, officer="wang", label="other", now=town.now)


def test_a_label_gives_way_to_the_decision_on_a_later_hit(town: House, ruleset: RuleSet) -> None:
    posting = _watched(town, PROMO, 1)
    learn.give(town.store, posting, officer="wang", label="other", now=town.now)
    with town.store.write() as conn:
        captures.requeue(conn, ruleset="newer", model="newer")
    hit = town.judge(posting)
    assert hit is not None
    assert learn.rows(town.store, ruleset=ruleset) == []
    _decide(town, hit, "confirmed")
    assert [row["label"] for row in learn.rows(town.store, ruleset=ruleset)] == ["fundraising_promo"]


def test_old_texts_are_not_offered(town: House, fixed_now: datetime) -> None:
    _watched(town, PLAIN, 1)
    assert learn.offered(town.store, review=0.5, now=fixed_now + lessons.RECENT + timedelta(hours=1)) == ([], 0)
