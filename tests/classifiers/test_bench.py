"""Who judges: what is changed is taken up without a restart, what is broken never replaces what works."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from classifiers import manifest, promotion
from classifiers.bench import LOOK_EVERY, Bench
from classifiers.promotion import Pointers
from domain.errors import RuleFault
from domain.model import Document
from tests.pipelines.test_caps import write_pack
from tests.weights import spoilt, weights


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return write_pack(tmp_path / "pack")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def bench(pack: Path, home: Path) -> Bench:
    return Bench(home=home, rules_dir=pack)


def _promote(home: Path, folder: Path) -> str:
    name = promotion.take_in(folder, home)
    promotion.write(home, promotion.promoted(promotion.read(home), name, since="now"))
    return name


def _broken(pack: Path) -> None:
    (pack / "illegal_fundraising" / "loud.yml").write_text("id: nonsense\n", "utf-8")


def test_promoted_weights_judge_from_the_next_renewal_on(bench: Bench, home: Path, tmp_path: Path, fixed_now: datetime) -> None:
    assert bench.renew(fixed_now)
    assert not bench.renew(fixed_now)
    before = bench.judge.judge([Document(text="分红")])[0].score
    _promote(home, weights(tmp_path / "made", "new-1", bias=3.0))
    assert bench.renew(fixed_now)
    assert bench.judge.model == "new-1"
    assert bench.judge.judge([Document(text="分红")])[0].score >= before


def test_weights_altered_under_a_running_judge_leave_it_as_it_is(bench: Bench, home: Path, tmp_path: Path, fixed_now: datetime) -> None:
    name = _promote(home, weights(tmp_path / "made", "new-1"))
    bench.renew(fixed_now)
    spoilt(home / name)
    (home / name / manifest.NAME).touch()
    assert bench.renew(fixed_now)
    assert bench.judge.model == "new-1"
    assert "继续使用 new-1" in bench.faults["neural"]


def test_a_file_put_back_mends_the_weights_without_a_restart(pack: Path, home: Path, tmp_path: Path, fixed_now: datetime) -> None:
    folder = weights(tmp_path / "made", "mine-1")
    whole = (folder / "linear.npz").read_bytes()
    bench = Bench(home=home, rules_dir=pack, weights_dir=spoilt(folder))
    bench.renew(fixed_now)
    assert bench.judge.neural is None
    assert "仅以规则研判" in bench.faults["neural"]
    (folder / "linear.npz").write_bytes(whole)
    assert bench.renew(fixed_now)
    assert (bench.judge.model, bench.faults) == ("mine-1", {})


def test_a_start_with_broken_weights_falls_back_to_those_before(pack: Path, home: Path, tmp_path: Path, fixed_now: datetime) -> None:
    _promote(home, weights(tmp_path / "one", "one-1"))
    spoilt(home / _promote(home, weights(tmp_path / "two", "two-1")))
    bench = Bench(home=home, rules_dir=pack)
    bench.renew(fixed_now)
    assert bench.judge.model == "one-1"
    assert "已退回 one-1" in bench.faults["neural"]


def test_broken_pointers_leave_what_judges_now(bench: Bench, home: Path, tmp_path: Path, fixed_now: datetime) -> None:
    _promote(home, weights(tmp_path / "made", "new-1"))
    bench.renew(fixed_now)
    (home / promotion.POINTERS).write_text("{", "utf-8")
    bench.renew(fixed_now)
    assert bench.judge.model == "new-1"
    assert "pointers.json" in bench.faults["neural"]


def test_changed_rules_are_taken_up_within_a_minute(bench: Bench, pack: Path, fixed_now: datetime) -> None:
    bench.renew(fixed_now)
    before = bench.judge.ruleset.digest
    write_pack(pack, cap=4)
    assert not bench.renew(fixed_now + LOOK_EVERY - timedelta(seconds=1))
    assert bench.renew(fixed_now + LOOK_EVERY)
    assert bench.judge.ruleset.digest != before


def test_rules_changed_leave_the_weights_where_they_are(bench: Bench, pack: Path, fixed_now: datetime) -> None:
    bench.renew(fixed_now)
    neural = bench.judge.neural
    write_pack(pack, cap=4)
    bench.renew(fixed_now + LOOK_EVERY)
    assert bench.judge.neural is neural


def test_broken_rules_keep_the_old_ones_in_force_and_name_the_line(bench: Bench, pack: Path, fixed_now: datetime) -> None:
    bench.renew(fixed_now)
    judge = bench.judge
    _broken(pack)
    assert bench.renew(fixed_now + LOOK_EVERY)
    assert bench.judge is judge
    assert "loud.yml:1" in bench.faults["pack"]
    assert not bench.renew(fixed_now + 2 * LOOK_EVERY)


def test_rules_mended_by_taking_the_change_back_clear_the_fault(bench: Bench, pack: Path, fixed_now: datetime) -> None:
    bench.renew(fixed_now)
    judge = bench.judge
    _broken(pack)
    bench.renew(fixed_now + LOOK_EVERY)
    write_pack(pack)
    assert bench.renew(fixed_now + 2 * LOOK_EVERY)
    assert (bench.faults, bench.judge) == ({}, judge)


def test_a_clock_set_back_looks_at_once(bench: Bench, pack: Path, fixed_now: datetime) -> None:
    bench.renew(fixed_now)
    write_pack(pack, cap=4)
    assert bench.renew(fixed_now - timedelta(days=1))


def test_a_start_with_broken_rules_says_so(bench: Bench, pack: Path, fixed_now: datetime) -> None:
    _broken(pack)
    with pytest.raises(RuleFault):
        bench.renew(fixed_now)


def test_a_candidate_comes_changes_and_goes(bench: Bench, home: Path, tmp_path: Path, fixed_now: datetime) -> None:
    bench.renew(fixed_now)
    assert bench.shadow is None
    promotion.write(home, Pointers(candidate=promotion.take_in(weights(tmp_path / "made", "new-1"), home)))
    assert bench.renew(fixed_now)
    assert bench.shadow is not None
    assert bench.shadow.model == "new-1"
    promotion.write(home, Pointers())
    assert bench.renew(fixed_now)
    assert bench.shadow is None


def test_an_altered_candidate_is_a_fault_and_judges_nothing(pack: Path, home: Path, tmp_path: Path, fixed_now: datetime) -> None:
    folder = spoilt(weights(tmp_path / "made", "new-1"))
    bench = Bench(home=home, rules_dir=pack, candidate_dir=folder)
    bench.renew(fixed_now)
    assert bench.shadow is None
    assert "不影响研判" in bench.faults["candidate"]
    shutil.rmtree(folder)
    weights(folder, "new-2")
    assert bench.renew(fixed_now)
    assert (bench.faults, bench.shadow.model if bench.shadow else "") == ({}, "new-2")


def test_what_is_in_force_needs_no_second_word(pack: Path, home: Path, fixed_now: datetime) -> None:
    bench = Bench(home=home, rules_dir=pack, candidate_dir=manifest.PACKAGED)
    bench.renew(fixed_now)
    assert bench.shadow is None


def test_a_candidate_follows_the_rules_in_force(pack: Path, home: Path, tmp_path: Path, fixed_now: datetime) -> None:
    bench = Bench(home=home, rules_dir=pack, candidate_dir=weights(tmp_path / "made", "new-1"))
    bench.renew(fixed_now)
    write_pack(pack, cap=4)
    bench.renew(fixed_now + LOOK_EVERY)
    assert bench.shadow is not None
    assert bench.shadow.ruleset is bench.judge.ruleset
