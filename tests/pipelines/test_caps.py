"""The life of a rule in the patrol: on trial, live, beyond its daily cap, released. SQLite and PostgreSQL alike."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from classifiers.fusion import Judge
from classifiers.keyword import KeywordClassifier
from domain.errors import NotPermitted
from domain.model import Document, Opinion, Score
from pipelines.assess import assess_all, assess_batch
from rules.loader import PACKAGED, load
from store import alarms, captures, figures, hits, retention, tables, tallies
from store.archive import Archive
from store.engine import Store
from store.moves import move
from tests.conftest import KeepTexts, MakeHarvest
from tests.pipelines.conftest import House, staffed

RULE = """id: {id}
title: 试写规则{word}
status: {status}
severity: critical
basis: [gl737.2]
scheme: wealth_mgmt
weight: 6
{more}match:
  all:
    - terms: [{word}]
examples:
  hit:
    - text: 这里有{word}
    - text: 那里也有{word}
  miss:
    - text: 这里没有
      why: 没有词
    - text: 那里也没有
      why: 没有词
"""
LOUD, QUIET, TRIED = "illegal_fundraising.loud", "illegal_fundraising.quiet", "illegal_fundraising.tried"
WORDS = {LOUD: "甲乙丙", QUIET: "丁戊己", TRIED: "庚辛壬"}
MakeJudge = Callable[..., Judge]


def write_pack(folder: Path, *, cap: int = 3, status: str = "live", more: str = "") -> Path:
    """A pack of three rules; `status` and `more` are those of the loud one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("schemes.yml", "statutes.yml", "authorities.yml", "policy.yml"):
        shutil.copy(PACKAGED / name, folder / name)
    policy = folder / "policy.yml"
    policy.write_text(policy.read_text(encoding="utf-8").replace("daily_cap: 500", f"daily_cap: {cap}"), encoding="utf-8")
    (folder / "illegal_fundraising").mkdir(exist_ok=True)
    for rule, word in WORDS.items():
        state = {LOUD: status, QUIET: "live", TRIED: "background"}[rule]
        text = RULE.format(id=rule, word=word, status=state, more=more if rule == LOUD else "")
        (folder / "illegal_fundraising" / f"{rule.partition('.')[2]}.yml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def make_judge(tmp_path: Path) -> MakeJudge:
    def make(**given: Any) -> Judge:
        ruleset = load(write_pack(tmp_path / "pack", **given))
        return Judge(keyword=KeywordClassifier(ruleset), neural=None, ruleset=ruleset)

    return make


def levels(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(select(tables.assessments.c.level).order_by(tables.assessments.c.id)).scalars())


def open_alarms(store: Store) -> list[tuple[str, str, int]]:
    with store.read() as connection:
        return [(row["kind"], row["subject"], row["times"]) for row in alarms.open_alarms(connection)]


def all_figures(store: Store, now: datetime) -> dict[str, figures.Figures]:
    with store.read() as connection:
        return figures.of_rules(connection, since=figures.midnight(now))


def test_a_background_rule_is_kept_with_weight_0_and_counted_and_opens_no_hit(
    any_store: Store, keep_texts: KeepTexts, make_judge: MakeJudge, fixed_now: datetime
) -> None:
    keep_texts("今天庚辛壬来了", "闲聊一句")
    assert assess_all(any_store, make_judge(), now=lambda: fixed_now, worker="a").hits == 0
    with any_store.read() as connection:
        kept = connection.execute(select(tables.assessments.c.matches).order_by(tables.assessments.c.id)).scalars().all()
    assert [one for one in kept if one] == [[{"rule": TRIED, "start": 2, "end": 5, "weight": 0.0, "text": "庚辛壬", "fold": ""}]]
    assert all_figures(any_store, fixed_now)[TRIED] == figures.Figures(matched=1)


@pytest.mark.parametrize("status", ["draft", "retired"])
def test_drafts_and_retired_rules_are_not_matched(
    status: str, any_store: Store, keep_texts: KeepTexts, make_judge: MakeJudge, fixed_now: datetime
) -> None:
    keep_texts("这里有甲乙丙")
    assert assess_all(any_store, make_judge(status=status), now=lambda: fixed_now, worker="a").hits == 0
    assert all_figures(any_store, fixed_now) == {}


def test_figures_tell_what_officers_made_of_a_rules_hits(
    any_store: Store, keep_texts: KeepTexts, make_judge: MakeJudge, fixed_now: datetime
) -> None:
    for text in ("甲乙丙一", "甲乙丙二，庚辛壬", "甲乙丙三"):
        keep_texts(text)
    assess_all(any_store, make_judge(), now=lambda: fixed_now, worker="a")
    with any_store.write() as connection:
        for number, event in ((1, "confirm"), (2, "dismiss")):
            move(connection, "hit", number, "claim", actor="li", at=fixed_now, claimed_by="li", claimed_until=fixed_now)
            move(connection, "hit", number, event, actor="li", at=fixed_now)
    found = all_figures(any_store, fixed_now)
    assert found[LOUD] == figures.Figures(matched=3, hits=3, confirmed=1, dismissed=1)
    assert found[LOUD].precision == 0.5
    assert found[TRIED] == figures.Figures(matched=1, hits=1, dismissed=1)
    assert all_figures(any_store, fixed_now + timedelta(days=1)) == {}
    with any_store.read() as connection:
        days = figures.of_days(connection, LOUD, since=figures.midnight(fixed_now, back=9))
    assert days == {"2026-11-23": found[LOUD]}


def test_judging_anew_counts_no_text_twice(any_store: Store, keep_texts: KeepTexts, make_judge: MakeJudge, fixed_now: datetime) -> None:
    keep_texts("甲乙丙一", "庚辛壬")
    judge = make_judge()
    for _ in range(2):
        assess_all(any_store, judge, now=lambda: fixed_now, worker="a")
        with any_store.write() as connection:
            captures.requeue(connection, ruleset="other@1", model="none")
    assert {rule: one.matched for rule, one in all_figures(any_store, fixed_now).items()} == {LOUD: 1, TRIED: 1}


def test_a_flood_opens_as_many_hits_as_the_cap_and_raises_one_alarm(
    any_store: Store, keep_texts: KeepTexts, make_judge: MakeJudge, fixed_now: datetime
) -> None:
    keep_texts(*(f"第{number}条甲乙丙" for number in range(8)))
    judge = make_judge(cap=3)
    for _ in range(4):
        assess_batch(any_store, judge, now=fixed_now, worker="a", limit=2)
    assert Counter(levels(any_store)) == {"alert": 3, "watch": 5}
    assert open_alarms(any_store) == [("rule_flood", LOUD, 1)]
    assert all_figures(any_store, fixed_now)[LOUD] == figures.Figures(matched=8, hits=3, held=5)
    with any_store.read() as connection:
        assert figures.held_now(connection) == {LOUD: 5}
        assert figures.stops(connection, now=fixed_now)[LOUD] == figures.Stop(at=fixed_now, lifted=False)
        last = connection.execute(select(tables.assessments).order_by(tables.assessments.c.id.desc()).limit(1)).one()
    assert "涉嫌" in last.reasons[0]["text"] and "每日上限 3 条" in last.reasons[0]["text"]
    assert last.score > 0.85 and last.matches[0]["rule"] == LOUD


def test_a_text_with_other_grounds_opens_beyond_the_cap(
    any_store: Store, keep_texts: KeepTexts, make_judge: MakeJudge, fixed_now: datetime
) -> None:
    for text in ("甲乙丙一", "甲乙丙二", "甲乙丙三，还有丁戊己", "丁戊己"):
        keep_texts(text)
    assert assess_all(any_store, make_judge(cap=1), now=lambda: fixed_now, worker="a").hits == 2
    assert levels(any_store) == ["alert", "watch", "alert", "watch"]
    assert {rule: one.held for rule, one in all_figures(any_store, fixed_now).items()} == {LOUD: 1, QUIET: 1}


def test_a_rules_own_cap_wins(any_store: Store, keep_texts: KeepTexts, make_judge: MakeJudge, fixed_now: datetime) -> None:
    keep_texts("甲乙丙一", "甲乙丙二", "丁戊己一", "丁戊己二")
    assert assess_all(any_store, make_judge(cap=9, more="daily_cap: 1\n"), now=lambda: fixed_now, worker="a").hits == 3


def test_the_next_day_in_shanghai_begins_anew(any_store: Store, keep_texts: KeepTexts, make_judge: MakeJudge, fixed_now: datetime) -> None:
    keep_texts("甲乙丙一", "甲乙丙二", "甲乙丙三", "甲乙丙四")
    judge = make_judge(cap=1)
    assess_batch(any_store, judge, now=fixed_now, worker="a", limit=2)
    evening = fixed_now.replace(hour=15, minute=59)  # 23:59 in Shanghai
    assert assess_batch(any_store, judge, now=evening, worker="a", limit=1).hits == 0
    assert assess_batch(any_store, judge, now=evening + timedelta(minutes=1), worker="a", limit=1).hits == 1


@pytest.mark.parametrize("back", [timedelta(hours=3), timedelta(days=1), timedelta(days=40)])
def test_a_clock_that_is_set_back_gives_no_new_cap_and_no_second_alarm(
    back: timedelta, any_store: Store, keep_texts: KeepTexts, make_judge: MakeJudge, fixed_now: datetime
) -> None:
    keep_texts("甲乙丙一", "甲乙丙二", "甲乙丙三")
    judge = make_judge(cap=1)
    with any_store.write() as connection:  # the pictures are read: nothing waits for the clock
        connection.execute(tables.postings.update().values(read_at=fixed_now))
    assess_batch(any_store, judge, now=fixed_now, worker="a", limit=2)
    assert assess_batch(any_store, judge, now=fixed_now - back, worker="a", limit=1).hits == 0
    assert open_alarms(any_store) == [("rule_flood", LOUD, 1)]


def test_many_workers_at_once_keep_the_cap_and_alarm_once(
    any_store: Store, keep_texts: KeepTexts, make_judge: MakeJudge, fixed_now: datetime
) -> None:
    keep_texts(*(f"第{number}条甲乙丙" for number in range(24)))
    judges = [make_judge(cap=5) for _ in range(4)]

    def work(number: int) -> None:
        while assess_batch(any_store, judges[number], now=fixed_now, worker=f"w{number}", limit=2).assessed:
            pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(levels(any_store)) == {"alert": 5, "watch": 19}
    assert open_alarms(any_store) == [("rule_flood", LOUD, 1)]


def test_released_texts_come_into_the_queue_with_their_pages(
    any_store: Store,
    archive: Archive,
    keep_texts: KeepTexts,
    make_judge: MakeJudge,
    make_house: Callable[[Store], House],
    fixed_now: datetime,
) -> None:
    make_house(any_store)
    keep_texts("甲乙丙一", "甲乙丙二", "甲乙丙三")
    judge, later = make_judge(cap=1), fixed_now + timedelta(days=30)
    assess_all(any_store, judge, now=lambda: fixed_now, worker="a")
    archive.close()
    retention.apply(any_store, archive, now=later)  # a month in the spool: what is held is kept
    with any_store.write() as connection:
        assert tallies.release(connection, LOUD, officer="wang", now=later) == 2
    assert assess_all(any_store, judge, now=lambda: later, worker="a").hits == 2
    assert open_alarms(any_store) == []
    with any_store.read() as connection:
        assert figures.held_now(connection) == {}
        assert all(page["sealed"] for number in (1, 2, 3) for page in hits.evidence(connection, number))


def test_dropped_texts_stay_at_watch(
    any_store: Store, keep_texts: KeepTexts, make_judge: MakeJudge, make_house: Callable[[Store], House], fixed_now: datetime
) -> None:
    make_house(any_store)
    keep_texts("甲乙丙一", "甲乙丙二")
    judge = make_judge(cap=1)
    assess_all(any_store, judge, now=lambda: fixed_now, worker="a")
    with any_store.write() as connection:
        assert tallies.drop(connection, LOUD, officer="wang", now=fixed_now) == 1
    assert assess_all(any_store, judge, now=lambda: fixed_now, worker="a").assessed == 0
    assert levels(any_store) == ["alert", "watch"]
    assert open_alarms(any_store) == []


def test_nobody_without_a_role_releases(store: Store, fixed_now: datetime) -> None:
    staffed(store)
    with store.write() as connection, pytest.raises(NotPermitted):
        tallies.release(connection, LOUD, officer="qian", now=fixed_now)


def test_the_alarm_clears_itself_when_nothing_is_held_any_more(
    any_store: Store, keep_texts: KeepTexts, make_judge: MakeJudge, fixed_now: datetime
) -> None:
    for text in ("甲乙丙一", "甲乙丙二", "闲聊"):
        keep_texts(text)
    judge, later = make_judge(cap=1), fixed_now + timedelta(days=1)
    assess_batch(any_store, judge, now=fixed_now, worker="a", limit=2)
    assert len(open_alarms(any_store)) == 1
    with any_store.write() as connection:  # a mended rule judges them anew
        captures.requeue(connection, ruleset="other@1", model="none")
    assess_all(any_store, make_judge(status="background"), now=lambda: later, worker="a")
    assert open_alarms(any_store) == []


def test_a_text_that_is_held_again_is_counted_once(
    any_store: Store, keep_texts: KeepTexts, make_judge: MakeJudge, fixed_now: datetime
) -> None:
    keep_texts("甲乙丙一", "甲乙丙二")
    judge = make_judge(cap=1)
    for _ in range(2):
        assess_all(any_store, judge, now=lambda: fixed_now, worker="a")
        with any_store.write() as connection:
            captures.requeue(connection, ruleset="other@1", model="none")
    with any_store.read() as connection:
        assert figures.held_now(connection) == {LOUD: 1}
    assert all_figures(any_store, fixed_now)[LOUD] == figures.Figures(matched=2, hits=1, held=1)


class Sure:
    """Stands for the neural classifier: as sure of every text as it is told."""

    name, version = "neural", "sure-1"

    def __init__(self, value: float) -> None:
        self.value = value

    def judge(self, documents: Sequence[Document]) -> list[Opinion]:
        return [Opinion(score=Score(classifier=self.name, version=self.version, value=self.value)) for _ in documents]


@pytest.mark.parametrize(("value", "opened"), [(0.2, 1), (0.9999, 3)])
def test_what_the_model_says_is_ground_enough_beyond_the_cap(
    value: float, opened: int, store: Store, make_judge: MakeJudge, make_harvest: MakeHarvest, fixed_now: datetime
) -> None:
    archive = Archive(store.settings.archive_dir)
    with store.write() as connection:
        sweep = captures.begin_sweep(connection, platform="forum", purpose="patrol", at=fixed_now, pid=None)
    pages = [make_harvest(number, postings=1) for number in range(3)]
    pages = [replace(page, postings=(replace(page.postings[0], body="甲乙丙" + "好" * number),)) for number, page in enumerate(pages)]
    captures.keep(store, pages, sweep_id=sweep, archive=archive)
    archive.close()
    rules = make_judge(cap=1)
    judge = Judge(keyword=rules.keyword, neural=Sure(value), ruleset=rules.ruleset)
    assert assess_all(store, judge, now=lambda: fixed_now, worker="a").hits == opened


def test_killed_workers_count_nothing_twice(any_store: Store, keep_texts: KeepTexts, tmp_path: Path, fixed_now: datetime) -> None:
    keep_texts(*(f"第{number}条甲乙丙" for number in range(60)))
    write_pack(tmp_path / "pack", cap=10)
    environment = {**os.environ, **any_store.settings.environment(), "PACK": str(tmp_path / "pack")}
    environment["NOW"] = fixed_now.isoformat()
    for wait in (0.05, 0.2, 0.4):
        child = subprocess.Popen([sys.executable, "-m", "tests.pipelines.assessing_child"], env=environment, stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=wait)
        child.kill()
        child.wait()
        child.stdout.close()
    ruleset = load(tmp_path / "pack")
    later = fixed_now + timedelta(seconds=any_store.settings.lease_s)
    assess_all(any_store, Judge(keyword=KeywordClassifier(ruleset), neural=None, ruleset=ruleset), now=lambda: later, worker="after")
    assert all_figures(any_store, fixed_now)[LOUD] == figures.Figures(matched=60, hits=10, held=50)
    assert Counter(levels(any_store)) == {"alert": 10, "watch": 50}
    assert open_alarms(any_store) == [("rule_flood", LOUD, 1)]
