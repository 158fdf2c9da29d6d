"""`wangxun train`: what officers taught, which weights judge, and a running process that takes up new ones."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert, select

from classifiers import promotion
from domain.settings import Settings
from patrol import jobs, training
from patrol.cli import main
from patrol.work import Work, open_work
from pipelines import promote, review
from store import alarms, tables
from store.engine import Store
from tests.conftest import KeepTexts
from tests.pipelines.conftest import House, staffed
from tests.pipelines.test_caps import write_pack
from tests.weights import spoilt, weights

PROMO = "稳健理财，保本保息，年化收益18%，到期还本付息，加微信 abc12345 咨询"
Call = Callable[..., Result]


class Hand:
    """A clock that the test moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def given(settings: Settings, tmp_path: Path) -> Settings:
    (settings.dir / "none").mkdir()
    return settings.model_copy(update={"platforms_dir": settings.dir / "none", "rules_dir": write_pack(tmp_path / "pack")})


@pytest.fixture
def house(store: Store, fixed_now: datetime) -> House:
    staffed(store)
    return House(store, fixed_now)


@pytest.fixture
def work(house: House, given: Settings, fixed_now: datetime) -> Iterator[Work]:
    opened = open_work(given, clock=Hand(fixed_now))
    yield opened
    opened.close()


@pytest.fixture
def call(given: Settings, house: House) -> Call:
    return lambda *words: CliRunner().invoke(main, list(map(str, words)), env=given.environment())


def _point(settings: Settings, folder: Path) -> None:
    home = promotion.home_of(settings.dir)
    promotion.write(home, promotion.promoted(promotion.read(home), promotion.take_in(folder, home), since="now"))


def _open_alarms(work: Work) -> list[tuple[str, str]]:
    with work.store.read() as connection:
        return [(row["kind"], row["subject"]) for row in alarms.open_alarms(connection)]


def test_a_running_process_takes_promoted_weights_at_its_next_batch(work: Work, tmp_path: Path) -> None:
    before = work.judge
    assert work.judge is before
    _point(work.settings, weights(tmp_path / "new", "new-1"))
    assert work.judge.model == "new-1"
    with work.store.read() as connection:
        detail = connection.execute(select(tables.audit.c.detail).where(tables.audit.c.action == "judge.renew")).scalar_one()
    assert detail["model"] == [before.model, "new-1"]


def test_changed_rules_are_taken_within_a_minute_and_broken_ones_alarm(work: Work, given: Settings) -> None:
    before = work.judge.ruleset.digest
    assert given.rules_dir is not None
    write_pack(given.rules_dir, cap=4)
    assert work.judge.ruleset.digest == before
    assert isinstance(work.clock, Hand)
    work.clock.now += timedelta(minutes=1)
    assert work.judge.ruleset.digest != before
    taken = work.judge
    (given.rules_dir / "illegal_fundraising" / "loud.yml").write_text("id: nonsense\n", "utf-8")
    work.clock.now += timedelta(minutes=1)
    assert work.judge is taken
    assert _open_alarms(work) == [("rules", "pack")]
    write_pack(given.rules_dir, cap=4)
    work.clock.now += timedelta(minutes=1)
    assert work.judge is taken
    assert _open_alarms(work) == []


def test_broken_weights_keep_those_in_force_with_an_alarm(work: Work, tmp_path: Path) -> None:
    before = work.judge.model
    _point(work.settings, weights(tmp_path / "new", "new-1"))
    spoilt(promotion.home_of(work.settings.dir) / promotion.read(promotion.home_of(work.settings.dir)).live)
    assert work.judge.model == before
    assert _open_alarms(work) == [("model", "neural")]


def test_the_judging_job_hears_the_candidate_beside(work: Work, keep_texts_in: Callable[..., None], tmp_path: Path) -> None:
    keep_texts_in(PROMO, "今天小区停水")
    promote.propose(work.store, weights(tmp_path / "new", "new-1"), officer="zhao", now=work.clock())
    assert isinstance(work.clock, Hand)
    work.clock.now += timedelta(hours=1)
    assert jobs.judge(work)["assessed"] == 2
    with work.store.read() as connection:
        assert {row.model for row in connection.execute(select(tables.shadows))} == {"new-1"}


@pytest.fixture
def keep_texts_in(request: pytest.FixtureRequest, store: Store) -> Iterator[KeepTexts]:
    """`keep_texts` over the plain SQLite store that `work` opens too."""
    from store.archive import Archive
    from store.captures import begin_sweep

    now, archive = request.getfixturevalue("fixed_now"), Archive(store.settings.archive_dir)
    make = request.getfixturevalue("make_harvest")
    with store.write() as connection:
        sweep = begin_sweep(connection, platform="forum", purpose="patrol", at=now, pid=None)

    def kept(*texts: str) -> None:
        from dataclasses import replace

        from store.captures import keep

        pages = [make(number, postings=1) for number in range(len(texts))]
        cut = [replace(page.postings[0], title="", body=text) for page, text in zip(pages, texts, strict=True)]
        keep(store, [replace(page, postings=(one,)) for page, one in zip(pages, cut, strict=True)], sweep_id=sweep, archive=archive)

    yield kept
    archive.close()


def test_decisions_are_exported_by_command(call: Call, house: House, tmp_path: Path) -> None:
    hit = house.hit()
    review.claim(house.store, hit, officer="wang", now=house.now)
    review.decide(house.store, hit, officer="wang", outcome="confirmed", reason="面向公众承诺", now=house.now)
    path = tmp_path / "rows.jsonl"
    result = call("train", "export-decisions", "--out", path, "--since", "2026-11-23", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["rows"] == 1
    assert json.loads(path.read_text("utf-8"))["label"] == "fundraising_promo"
    assert "1 条" in call("train", "export-decisions", "--out", path).stdout


def test_status_shows_agreement_flips_and_cost(call: Call, house: House, tmp_path: Path) -> None:
    hit = house.hit()
    version = promote.propose(house.store, weights(tmp_path / "new", "new-1"), officer="zhao", now=house.now).version
    row: dict[str, Any] = {"posting_id": 1, "model": version, "at": house.now, "level": "watch", "score": 0.2, "live_model": "m"}
    with house.store.write() as connection:
        connection.execute(insert(tables.shadows).values(**row, live_level="alert", live_score=0.9, cost_us=1500, live_cost_us=4000))
    found = json.loads(call("train", "status", "--json").stdout)
    assert (found["candidate"]["version"], found["agreement"], found["beside"]["down"]) == ("new-1", 0.0, 1)
    assert (found["flips"][0]["hit"], found["beside"]["cost_us"]) == (hit, 1500.0)
    assert "wenying8888" not in json.dumps(found, ensure_ascii=False)
    shown = call("train", "status").stdout
    assert all(part in shown for part in ("new-1", "会少进 1 条", "1.50 毫秒"))
    assert max(map(len, shown.splitlines())) <= 100


def test_candidate_promote_and_rollback_go_by_command(call: Call, house: House, tmp_path: Path) -> None:
    folder = weights(tmp_path / "new", "new-1")
    shown = json.loads(call("train", "candidate", folder, "--officer", "zhao", "--json").stdout)
    assert shown["version"] == "new-1"
    (tmp_path / "floors.yml").write_text("sets: {}\n", "utf-8")
    done = call("train", "promote", "--officer", "zhao", "--floors", tmp_path / "floors.yml")
    assert "new-1 已启用" in done.stdout, done.output
    back = json.loads(call("train", "rollback", "--reason", "误报变多", "--officer", "zhao", "--json").stdout)
    assert (back["live"], back["was"]) == ("", shown["candidate"])


@pytest.mark.parametrize("words", [("candidate",), ("candidate", "x", "--none")])
def test_a_candidate_is_a_folder_or_none(call: Call, house: House, words: tuple[str, ...]) -> None:
    assert call("train", *words, "--officer", "zhao").exit_code == 2


def test_an_altered_candidate_is_refused_in_words(call: Call, house: House, tmp_path: Path) -> None:
    result = call("train", "candidate", spoilt(weights(tmp_path / "new", "new-1")), "--officer", "zhao")
    assert "linear.npz: sha256" in str(result.exception)


def test_scan_judges_by_the_promoted_weights(call: Call, house: House, given: Settings, tmp_path: Path) -> None:
    _point(given, weights(tmp_path / "new", "new-1"))
    (tmp_path / "texts.jsonl").write_text(json.dumps({"id": 1, "text": PROMO}), "utf-8")
    assert json.loads(call("scan", tmp_path / "texts.jsonl").stdout)["model"] == "new-1"


def test_uncertain_hits_are_listed_by_command(call: Call, house: House) -> None:
    house.hit()
    sure = json.loads(call("hits", "list", "--uncertain", "--json").stdout)
    with house.store.write() as connection:
        scores = [{"classifier": "keyword", "version": "1", "value": 0.9}, {"classifier": "neural", "version": "1", "value": 0.1}]
        connection.execute(tables.assessments.update().values(scores=scores))
    doubtful = json.loads(call("hits", "list", "--uncertain", "--json").stdout)
    assert (len(sure["hits"]), len(doubtful["hits"])) == (0, 1)
    assert call("hits", "list", "--uncertain", "--state", "confirmed").exit_code == 2


def test_training_without_the_extra_names_the_way_out(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    result = call("train", "pretrain", "--data", tmp_path)
    assert "pip install 'wangxun[train]'" in str(result.exception)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_follows_a_runs_notes_where_somebody_watches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _Terminal()
    monkeypatch.setattr(sys, "stderr", seen)
    monkeypatch.setattr(training, "LOOK_S", 0.01)
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "tune.jsonl").write_text('{"pass": 1, "minutes": 2.0, "loss": 0.25}\n{"pass": 2, "mi', "utf-8")
    noted = _noted_by(monkeypatch)
    with training.watched("tune", config="tiny", runs=tmp_path):
        assert noted.wait(10)
    assert "tune" in seen.getvalue()


def _noted_by(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set once the bar was told of the run's last whole note."""
    import threading

    from rich.progress import Progress

    noted, real = threading.Event(), Progress.update

    def update(self: Progress, *words: Any, **fields: Any) -> None:
        real(self, *words, **fields)
        if "loss 0.25" in fields.get("said", "") and fields["completed"] >= 2.0:
            noted.set()

    monkeypatch.setattr(Progress, "update", update)
    return noted


def test_nothing_is_drawn_where_nobody_watches(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with training.watched("tune", config="no-such-recipe", runs=tmp_path), training.busy("x"):
        pass
    assert capsys.readouterr().err == ""
