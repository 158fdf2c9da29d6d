"""The schedule over a real store: what it enters, sends out, learns, heeds, and shows."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from sqlalchemy import insert, select, text

from domain.settings import Settings
from patrol import jobs
from patrol.commands.scheduling import schedule
from patrol.daemon import Daemon
from patrol.schedule_errand import errand_file, refill_all
from patrol.schedule_plan import Planner, heeded
from patrol.schedule_shown import quiet_ends_s, shown
from patrol.work import Work, open_work
from store import alarms, captures, queries, runs, schedule_tables, sources, tables
from store.engine import Store

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""Monday, 12:00 in Shanghai."""


class Hands:
    """A clock that the test turns, and the monotonic one beside it."""

    def __init__(self) -> None:
        self.now, self.passed = NOON, 0.0

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now, self.passed = self.now + timedelta(seconds=seconds), self.passed + seconds


@pytest.fixture
def hands() -> Hands:
    return Hands()


Open = Callable[..., Work]


@pytest.fixture
def opened(store: Store, settings: Settings, hands: Hands) -> Iterator[Open]:
    """Opens the work of these platform files (dicts over a gentle base)."""
    held: list[Work] = []
    folder = settings.dir / "platforms"

    def open_(*platforms: dict[str, Any], **changed: Any) -> Work:
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.yml"):
            old.unlink()
        for number, given in enumerate(platforms):
            base = {"id": f"site{number}", "title": "某站", "home": f"http://127.0.0.1:9/{number}/", "kind": "forum", "every": "6h"}
            whole = {**base, "pace": {"delay_s": 0, "concurrency": 2}, **given}
            (folder / f"{whole['id']}.yml").write_text(yaml.safe_dump(whole, allow_unicode=True), encoding="utf-8")
        work = open_work(settings.model_copy(update={"platforms_dir": folder, **changed}), clock=hands)
        held.append(work)
        return work

    yield open_
    for work in held:
        work.close()


def planner(work: Work, hands: Hands) -> Planner:
    made = Planner(work, tick=lambda: hands.passed)
    made.sync()
    return made


def boards(*names: str) -> list[str]:
    return [f"http://127.0.0.1:9/{name}" for name in names]


def visited(work: Work, numbers: list[int], *, at: datetime, found: int = 0, requests: int = 1, reached: bool = True) -> None:
    """As intake writes it at the end of a sweep."""
    with work.store.write() as connection:
        sweep = captures.begin_sweep(connection, platform="site0", purpose="patrol", at=at, pid=None)
        row = {"sweep_id": sweep, "at": at, "found": found, "requests": requests, "reached": reached, "learned": False}
        connection.execute(insert(schedule_tables.source_visits), [{"source_id": number, **row} for number in numbers])


def row_of(work: Work, url: str) -> dict[str, Any]:
    with work.store.read() as connection:
        table = schedule_tables.sources
        return dict(connection.execute(select(table).where(table.c.url == url)).mappings().one())


def test_sources_are_the_entries_and_rest_when_they_are_gone(opened: Open, hands: Hands) -> None:
    work = opened({"start": boards("a", "b")})
    assert planner(work, hands).sync() == 0
    work = opened({"start": boards("b", "c")})
    assert [row["url"] for row in planner(work, hands).rows] == boards("b", "c")
    assert row_of(work, boards("a")[0])["active"] is False
    work = opened({"start": boards("a", "b", "c")})
    assert [row["url"] for row in planner(work, hands).rows] == boards("a", "b", "c")


def test_a_platform_gets_one_errand_with_its_due_sources_and_none_while_it_is_busy(opened: Open, hands: Hands) -> None:
    made = planner(opened({"start": boards("a", "b")}, {"start": boards("c")}), hands)
    hands.pass_s(60)
    assert [one.platform for one in made.errands(busy={"site0"}, slots=2)] == ["site1"]
    errands = made.errands(busy={"site1"}, slots=2)
    assert [(one.platform, [url for _, url in one.sources]) for one in errands] == [("site0", boards("a", "b"))]
    hands.pass_s(15)
    assert made.errands(busy=(), slots=2) == [], "an errand under way is not sent twice"
    assert made.errands(busy=(), slots=0) == []


def test_a_restart_is_no_stampede(opened: Open, hands: Hands) -> None:
    work = opened({"start": boards(*map(str, range(400))), "budget": {"pages": 1000}}, requests_per_hour=3600)
    made = planner(work, hands)
    visited(work, [row["id"] for row in made.rows], at=hands.now)
    made.learn()
    hands.pass_s(40 * 3600)  # the machine was off for two nights: everything is late
    again = planner(work, hands)
    hands.pass_s(15)
    sent = sum(len(one.sources) for one in again.errands(busy=(), slots=8))
    assert 10 <= sent <= 16, "a request a second is earned, and 15 seconds passed"
    hands.pass_s(3600)
    assert sum(len(one.sources) for one in again.errands(busy=(), slots=8)) <= 301, "five minutes' worth is saved at the most"


def test_what_visits_found_moves_the_rate_and_survives_a_restart(opened: Open, hands: Hands) -> None:
    work = opened({"start": boards("busy", "calm")})
    made = planner(work, hands)
    numbers = {row["url"]: row["id"] for row in made.rows}
    for _ in range(12):
        visited(work, [numbers[boards("busy")[0]]], at=hands.now, found=8, requests=5)
        visited(work, [numbers[boards("calm")[0]]], at=hands.now)
        assert made.learn() == 2
        hands.pass_s(3600)
    assert made.learn() == 0
    busy, calm = row_of(work, boards("busy")[0]), row_of(work, boards("calm")[0])
    assert busy["shape"] / busy["exposure"] > 4 > 0.3 > calm["shape"] / calm["exposure"]
    assert (busy["visits"], busy["found"], busy["requests"]) == (12, 96, pytest.approx(5.0))
    again = planner(work, hands)
    assert again.board is not None
    assert made.board is not None
    assert np.allclose(again.board.rates.base, made.board.rates.base)
    assert np.allclose(again.board.rates.rhythm.factor, made.board.rates.rhythm.factor)


def test_a_source_that_does_not_answer_is_left_alone_longer_each_time(opened: Open, hands: Hands) -> None:
    work = opened({"start": boards("a")})
    made = planner(work, hands)
    waits = []
    for _ in range(8):
        visited(work, [made.rows[0]["id"]], at=hands.now, reached=False)
        made.learn()
        waits.append((row_of(work, boards("a")[0])["not_before"] - hands.now).total_seconds())
    assert waits == [600, 1200, 2400, 4800, 9600, 19200, 21600, 21600]
    hands.pass_s(3600)
    assert made.errands(busy=(), slots=2) == []
    visited(work, [made.rows[0]["id"]], at=hands.now)
    made.learn()
    assert row_of(work, boards("a")[0])["failures"] == 0


@pytest.mark.parametrize(
    ("counts", "outcome", "wait_s", "why"),
    [
        ({"sweep/come_again_s": 7200, "sweep/pages": 1}, "walled", 7200, "asked_to_wait"),
        ({"sweep/come_again_s": 90, "sweep/pages": 1}, "ok", 90, "asked_to_wait"),
        ({"sweep/blocked": 1, "sweep/pages": 1}, "walled", 3600, "wall"),
        ({"sweep/pages": 1}, "ok", None, ""),
    ],
)
def test_a_site_that_asks_for_patience_gets_it(
    opened: Open, hands: Hands, counts: dict[str, int], outcome: str, wait_s: float | None, why: str
) -> None:
    work = opened({"start": boards("a")})
    made = planner(work, hands)
    made.heed("site0", outcome=outcome, counts=counts)
    for one in (made, planner(work, hands)):  # a restart forgets nothing
        hands.now = NOON + timedelta(seconds=(wait_s or 0) - 1)
        hands.passed += 60
        assert (one.errands(busy=(), slots=1) == []) is (wait_s is not None)
        hands.now = NOON + timedelta(seconds=(wait_s or 0) + 200)
        hands.passed += 60
        assert len(one.errands(busy=(), slots=1)) == 1
    with work.store.read() as connection:
        assert sources.manners(connection)["site0"]["why"] == why


def test_walls_in_a_row_are_tried_ever_more_seldom(hands: Hands) -> None:
    known: dict[str, Any] | None = None
    waits = []
    for _ in range(7):
        known = heeded(known, outcome="walled", counts={"sweep/pages": 1}, now=NOON)
        waits.append((known["blocked_until"] - NOON).total_seconds() / 3600)
    assert waits == [1, 2, 4, 8, 16, 24, 24]
    assert heeded(known, outcome="ok", counts={"sweep/pages": 1}, now=NOON)["walls"] == 0


def test_a_crawl_delay_bounds_the_requests_of_a_platform(opened: Open, hands: Hands) -> None:
    work = opened({"start": boards(*map(str, range(50))), "budget": {"pages": 20}})
    made = planner(work, hands)
    made.heed("site0", outcome="ok", counts={"sweep/crawl_delay_s": 30, "sweep/pages": 1})
    hands.pass_s(60)
    assert len(made.errands(busy=(), slots=1)[0].sources) == 20, "one sweep's worth"
    hands.pass_s(300)
    assert len(made.errands(busy=(), slots=1)[0].sources) == 10, "five minutes at 30 s each"
    with work.store.read() as connection:
        assert sources.manners(connection)["site0"]["crawl_delay_s"] == 30


def test_quiet_hours_are_quiet(opened: Open, hands: Hands) -> None:
    made = planner(opened({"start": boards("a"), "quiet": "11:30-13:00"}), hands)
    hands.pass_s(60)
    assert made.errands(busy=(), slots=1) == []
    hands.pass_s(3600)
    assert len(made.errands(busy=(), slots=1)) == 1


@pytest.mark.parametrize("quiet", ["25:00-06:00", "1:00-6:00", "01:00", "night"])
def test_quiet_hours_that_are_none_are_a_fault_of_their_file(opened: Open, quiet: str) -> None:
    work = opened({"quiet": quiet})
    assert work.platforms == {}
    with work.store.read() as connection:
        assert "quiet" in alarms.open_alarms(connection)[0]["text"]


def test_a_clock_set_back_by_days_does_not_stop_the_schedule(opened: Open, hands: Hands) -> None:
    work = opened({"start": boards("a")})
    made = planner(work, hands)
    visited(work, [made.rows[0]["id"]], at=hands.now)
    made.heed("site0", outcome="walled", counts={"sweep/pages": 1})
    made.learn()
    hands.now = NOON - timedelta(days=5)
    for one in (made, planner(work, hands)):
        one.errands(busy=(), slots=1)
        hands.passed += 60
        hands.now += timedelta(hours=7)
        assert len(one.errands(busy=(), slots=1)) == 1


def test_sources_that_starve_are_an_alarm_until_they_are_fed(opened: Open, hands: Hands) -> None:
    work = opened({"start": boards("a"), "every": "1h"})
    made = planner(work, hands)
    visited(work, [made.rows[0]["id"]], at=hands.now)
    made.learn()
    assert made.alarm_starved() == 0
    hands.pass_s(4 * 3600)
    assert made.alarm_starved() == 1
    with work.store.read() as connection:
        assert [row["kind"] for row in alarms.open_alarms(connection)] == ["starved"]
    visited(work, [made.rows[0]["id"]], at=hands.now)
    made.learn()
    assert made.alarm_starved() == 0
    with work.store.read() as connection:
        assert alarms.open_alarms(connection) == []


def test_hits_are_credited_once_to_the_source_that_found_them(
    opened: Open, hands: Hands, any_store: Store, keep_texts: Callable[..., None]
) -> None:
    keep_texts("某项目保本保息", "某店开业")
    work = opened({"start": boards("a")}, database_url=any_store.settings.database)
    made = planner(work, hands)
    with work.store.write() as connection:
        capture = connection.execute(select(tables.postings.c.first_capture_id)).scalars().first()
        connection.execute(insert(schedule_tables.finds).values(capture_id=capture, source_id=made.rows[0]["id"], query_id=None, new=2))
        posting = connection.execute(select(tables.postings.c.id).where(tables.postings.c.first_capture_id == capture)).scalars().first()
        judged = {"posting_id": posting, "at": NOON, "level": "review", "score": 0.7, "ruleset": "x", "model": "y"}
        lists = {name: [] for name in ("schemes", "features", "matches", "reasons", "scores", "codes", "authorities")}
        number = connection.execute(insert(tables.assessments).values(**judged, **lists)).inserted_primary_key[0]  # type: ignore[index]
        hit = {"posting_id": posting, "assessment_id": number, "level": "review", "score": 0.7, "opened_at": NOON}
        connection.execute(insert(tables.hits).values(**hit))
    for _ in range(2):
        made.heed("site0", outcome="ok", counts={"sweep/pages": 1, "sweep/crawl_delay_s": 7})
        visited(work, [made.rows[0]["id"]], at=hands.now, found=1)
        made.learn()
    assert row_of(work, boards("a")[0])["hits"] == 1
    assert made.board is not None
    assert made.rows[0]["hits"] == 1
    assert planner(work, hands).names == ["site0"]


def test_sources_of_fixed_platforms_are_counted_though_nothing_is_learned(opened: Open, hands: Hands) -> None:
    work = opened({"start": boards("a"), "schedule": "fixed"})
    made = planner(work, hands)
    number = row_of(work, boards("a")[0])["id"]
    visited(work, [number], at=hands.now, found=4)
    assert made.learn() == 1
    assert made.learn() == 0
    row = row_of(work, boards("a")[0])
    assert (row["visits"], row["found"], row["last_at"]) == (1, 4, hands.now)


def test_lists_that_a_killed_daemon_left_are_cleared_after_a_day(opened: Open) -> None:
    work = opened({})
    folder = work.settings.dir / "visits"
    folder.mkdir()
    for name, age_s in (("sources-a.jsonl", 90_000), ("sources-b.jsonl", 60), ("site0-c.jsonl", 90_000)):
        (folder / name).write_text("")
        os.utime(folder / name, (time.time() - age_s,) * 2)
    jobs.recover(work)
    assert sorted(path.name for path in folder.iterdir()) == ["site0-c.jsonl", "sources-b.jsonl"]


def test_a_rotating_platform_without_places_or_rules_says_nothing_wrong(opened: Open) -> None:
    work = opened({"kind": "search", "queries": "auto", "start": ["http://127.0.0.1:9/s?q={query}"]})
    assert refill_all(work) > 300
    with work.store.read() as connection:
        assert all(row["text"] == row["term"] for row in queries.rotation(connection, "site0"))


def test_fixed_platforms_keep_their_interval_and_a_restart_their_rhythm(opened: Open, hands: Hands) -> None:
    work = opened({"schedule": "fixed", "every": "1h"}, {"schedule": "fixed", "every": "1h"}, {})
    with work.store.write() as connection:
        run = runs.begin_run(connection, job="sweep:site0", now=NOON - timedelta(minutes=21))
        runs.end_run(connection, run, outcome="ok", now=NOON - timedelta(minutes=20))
    daemon = Daemon(work)
    daemon.scheduler.start(paused=True)
    try:
        assert daemon._plan_sweeps() == 3
        due = {job.id: job.next_run_time for job in daemon.scheduler.get_jobs()}
        assert due == {"sweep:site0": NOON + timedelta(minutes=40), "sweep:site1": NOON}
        assert daemon.planner.names == ["site2"]
        assert daemon._plan_sweeps() == 0
    finally:
        daemon.scheduler.shutdown()


def test_the_daemon_sends_out_what_is_due_with_free_hands_alone(opened: Open, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    work = opened({}, {}, {}, sweeps_at_once=2)
    daemon = Daemon(work)
    daemon.planner = Planner(work, tick=lambda: hands.passed)
    daemon.scheduler.start(paused=True)
    try:
        daemon._plan_sweeps()
        hands.pass_s(60)
        daemon._send_out()
        assert sorted(daemon._out) == ["site0", "site1"]
        assert {job.id for job in daemon.scheduler.get_jobs()} == {"sweep:site0", "sweep:site1"}
        sent: list[Any] = []
        monkeypatch.setattr("patrol.jobs.sweep", lambda work, platform, *, numbers: sent.append((platform, numbers)) or (0, "skipped"))
        daemon._sweep("site0", numbers=[1])
        assert sent == [("site0", [1])]
        assert daemon._out == {"site1"}
        daemon._send_out()
        assert daemon._out == {"site1", "site2"}
    finally:
        daemon.scheduler.shutdown()


def test_a_schedule_that_fails_is_alarmed_and_goes_on(opened: Open, hands: Hands) -> None:
    daemon = Daemon(opened({}))

    def rename(old: str, new: str) -> None:
        with daemon.work.store.write() as connection:
            connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

    rename("source_visits", "gone")
    daemon._send_out()
    with daemon.work.store.read() as connection:
        assert [(row["kind"], row["subject"]) for row in alarms.open_alarms(connection)] == [("dead_job", "schedule")]
    rename("gone", "source_visits")
    daemon._send_out()
    with daemon.work.store.read() as connection:
        assert alarms.open_alarms(connection) == []


def test_officers_see_why_each_source_is_due_when_it_is(opened: Open, hands: Hands) -> None:
    work = opened(
        {"start": boards("new", "known", "burst", "starved", "failing")},
        {"start": boards("quiet"), "quiet": "11:00-13:00"},
        {"start": boards("wall")},
        {"start": boards("fixed"), "schedule": "fixed"},
    )
    made = planner(work, hands)
    number = {row["url"].rpartition("/")[2]: row["id"] for row in made.rows}
    made.heed("site2", outcome="walled", counts={"sweep/pages": 1})
    with work.store.write() as connection:
        known = {"visits": 9, "last_at": NOON - timedelta(minutes=4)}
        rows = {
            "known": known, "burst": known | {"bursting": 0.95, "burst_shape": 60.0, "burst_hours": 1.0},
            "starved": known | {"last_at": NOON - timedelta(hours=7)}, "failing": known | {"not_before": NOON + timedelta(hours=1)},
            "quiet": known, "wall": known,
        }  # fmt: skip
        for name, values in rows.items():
            connection.execute(schedule_tables.sources.update().where(schedule_tables.sources.c.id == number[name]).values(**values))
    found = {row["url"].rpartition("/")[2]: row for row in shown(work)}
    assert {name: row["why"] for name, row in found.items()} == {
        "new": "new", "known": "rate", "burst": "burst", "starved": "starved", "failing": "failing", "quiet": "quiet", "wall": "wall",
        "fixed": "fixed",
    }  # fmt: skip
    assert found["wall"]["next_at"] == NOON + timedelta(hours=1)
    assert found["quiet"]["next_at"] == NOON + timedelta(hours=1)
    assert found["starved"]["next_at"] == NOON


def test_quiet_hours_end_where_they_end() -> None:
    noon = NOON.timestamp()
    assert quiet_ends_s((11.0, 13.0), noon) == noon + 3600
    assert quiet_ends_s((22.0, 6.0), noon) == noon
    assert quiet_ends_s((22.0, 12.5), noon) == noon + 1800
    assert quiet_ends_s((0.0, 0.0), noon) == noon


def test_schedule_command_lists_sources(opened: Open, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    work = opened({"start": boards("a", "b")})
    monkeypatch.setenv("WANGXUN_DIR", str(work.settings.dir))
    monkeypatch.setenv("WANGXUN_PLATFORMS_DIR", str(work.settings.platforms_dir))
    told = CliRunner().invoke(schedule, ["--json"])
    assert told.exit_code == 0, told.output
    assert [row["url"] for row in json.loads(told.output)["sources"]] == boards("a", "b")
    plain = CliRunner().invoke(schedule, ["--limit", "1"]).output
    assert "新入口" in plain
    assert "另有 1 个未列出" in plain
    assert CliRunner().invoke(schedule, ["--platform", "nowhere"]).exit_code == 2


def test_a_hostile_address_is_asked_for_as_it_stands(opened: Open, hands: Hands) -> None:
    odd = ["http://127.0.0.1:9/?q='; DROP TABLE sources;--", "http://127.0.0.1:9/" + "长" * 3000]
    work = opened({"start": odd})
    made = planner(work, hands)
    assert len(made.rows) == 2
    with errand_file(work, "site0") as path:
        assert path is not None
        assert [json.loads(line)["url"] for line in path.read_text(encoding="utf-8").splitlines()] == odd
    assert not path.exists()
