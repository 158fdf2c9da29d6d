"""Weights come into force by an officer's act: gated, audited, and never half. On both databases."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from classifiers import gate, labelled, pinning, promotion
from classifiers.evaluate import judge_of, words
from classifiers.figures import figures
from classifiers.pinning import Taken
from domain.errors import ConfigFault, JudgeFault, ModelUnavailable, NotPermitted, StoreFault
from pipelines import promote
from pipelines.standing import standing
from store import audit, tables
from store.engine import Store
from tests.pipelines.conftest import House
from tests.pipelines.test_caps import write_pack
from tests.weights import spoilt, weights

ROOT = Path(__file__).parents[2]
ROWS = [
    ("保本保息，年化收益18%，到期还本付息，名额有限，加微信abc12345咨询", "fundraising_promo"),
    ("无抵押贷款，黑户可做，当天放款，加微信 daikuan99", "illegal_finance_promo"),
    ("今天小区停水，请大家储水", "other"),
    ("公安机关提醒：凡是承诺保本高息的都要警惕", "education"),
]


@pytest.fixture
def town(any_store: Store, make_house: Callable[[Store], House], tmp_path: Path) -> House:
    house = make_house(any_store)
    house.store.settings = house.store.settings.model_copy(update={"rules_dir": write_pack(tmp_path / "pack")})
    return house


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "set.jsonl"
    path.write_text("".join(json.dumps({"text": text, "label": label}, ensure_ascii=False) + "\n" for text, label in ROWS), "utf-8")
    return path


@pytest.fixture
def floors(town: House, file: Path, tmp_path: Path) -> Path:
    """What the packaged weights reach on the file, pinned."""
    given = labelled.read(file)
    judge = judge_of("both", rules_dir=town.store.settings.rules_dir, weights_dir=None)
    taken = Taken(figures=figures(given.rows, words(given.rows, judge)), rules="r", weights="w")
    found, _ = pinning.pin(gate.Floors(), "own", file=given, taken={"both": taken}, reason="")
    gate.write(found, tmp_path / "floors.yml")
    return tmp_path / "floors.yml"


def _promote(
    house: House, folder: Path | None, floors: Path, file: Path, *, reason: str | None = None, officer: str = "zhao"
) -> promote.Act:
    return promote.promote(house.store, folder, officer=officer, reason=reason, now=house.now, floors=floors, files=[file])


def _acts(house: House) -> list[str]:
    with house.store.read() as conn:
        assert audit.verify(conn)[1] == []
        query = select(tables.audit.c.action).where(tables.audit.c.subject == "weights").order_by(tables.audit.c.seq)
        return list(conn.execute(query).scalars())


def _live(house: House) -> str:
    return standing(house.store).live.version


def test_a_candidate_is_proposed_promoted_and_rolled_back(town: House, floors: Path, file: Path, tmp_path: Path) -> None:
    shipped = _live(town)
    assert promote.propose(town.store, weights(tmp_path / "new", "new-1"), officer="zhao", now=town.now).version == "new-1"
    assert (_live(town), standing(town.store).candidate is not None) == (shipped, True)
    done = _promote(town, None, floors, file)
    assert (done.version, done.lost, len(done.held) > 3) == ("new-1", (), True)
    found = standing(town.store)
    assert (found.live.version, found.candidate, [one.version for one in found.previous]) == ("new-1", None, [shipped])
    back = promote.roll_back(town.store, officer="zhao", reason="误报变多", now=town.now + timedelta(hours=1))
    assert (back.version, _live(town)) == (shipped, shipped)
    assert _acts(town) == ["weights.propose", "weights.promote", "weights.rollback"]


def test_a_lost_figure_refuses_and_changes_nothing(town: House, floors: Path, file: Path, tmp_path: Path) -> None:
    deaf = weights(tmp_path / "deaf", "deaf-1", bias=-30.0)
    with pytest.raises(JudgeFault, match=r"figures of the gate are lost: own/both/.*--allow-regression"):
        _promote(town, deaf, floors, file)
    assert standing(town.store).live.source == "packaged"
    assert _acts(town) == []


def test_a_reason_lets_a_lost_figure_pass_and_stands_in_the_log(town: House, floors: Path, file: Path, tmp_path: Path) -> None:
    done = _promote(town, weights(tmp_path / "deaf", "deaf-1", bias=-30.0), floors, file, reason="为比较停一天")
    assert done.lost
    with town.store.read() as conn:
        detail = conn.execute(select(tables.audit.c.detail).where(tables.audit.c.action == "weights.promote")).scalar_one()
    assert detail["reason"] == "为比较停一天"
    assert detail["lost"]


def test_a_blank_reason_is_none(town: House, floors: Path, file: Path, tmp_path: Path) -> None:
    with pytest.raises(JudgeFault, match="are lost"):
        _promote(town, weights(tmp_path / "deaf", "deaf-1", bias=-30.0), floors, file, reason="  ")


def test_an_altered_set_is_refused_as_candidate_and_in_force(town: House, floors: Path, file: Path, tmp_path: Path) -> None:
    folder = spoilt(weights(tmp_path / "new", "new-1"))
    with pytest.raises(ModelUnavailable, match="sha256"):
        promote.propose(town.store, folder, officer="zhao", now=town.now)
    with pytest.raises(ModelUnavailable, match="sha256"):
        _promote(town, folder, floors, file)
    assert _acts(town) == []


def test_a_set_changed_under_its_name_pins_nothing(town: House, floors: Path, file: Path, tmp_path: Path) -> None:
    file.write_text(file.read_text("utf-8").replace("停水", "停电"), "utf-8")
    with pytest.raises(ConfigFault, match="changed under its name"):
        _promote(town, weights(tmp_path / "new", "new-1"), floors, file)


@pytest.mark.parametrize("officer", ["wang", "qian", "nobody"])
def test_only_an_approver_or_admin_may(town: House, floors: Path, file: Path, tmp_path: Path, officer: str) -> None:
    folder = weights(tmp_path / "new", "new-1")
    with pytest.raises(NotPermitted):
        promote.propose(town.store, folder, officer=officer, now=town.now)
    with pytest.raises(NotPermitted):
        _promote(town, folder, floors, file, officer=officer)
    with pytest.raises(NotPermitted):
        promote.roll_back(town.store, officer=officer, reason="试试", now=town.now)


def test_a_full_disk_leaves_the_old_weights_and_says_so(
    town: House, floors: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = promotion.take_in(weights(tmp_path / "new", "new-1"), promotion.home_of(town.store.settings.dir))

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("domain.wholefile.os.fsync", full)
    with pytest.raises(ModelUnavailable, match="No space left"):
        _promote(town, promotion.home_of(town.store.settings.dir) / name, floors, file)
    assert standing(town.store).live.source == "packaged"
    assert _acts(town) == ["weights.promote", "weights.promote_failed"]


def test_weights_that_a_setting_names_are_not_promoted_over(town: House, floors: Path, file: Path, tmp_path: Path) -> None:
    folder = weights(tmp_path / "new", "new-1")
    town.store.settings = town.store.settings.model_copy(update={"weights_dir": folder})
    with pytest.raises(StoreFault, match="WANGXUN_WEIGHTS_DIR names"):
        _promote(town, folder, floors, file)
    assert promote.propose(town.store, folder, officer="zhao", now=town.now).version == "new-1"


def test_the_candidate_of_a_setting_is_promoted_too(town: House, floors: Path, file: Path, tmp_path: Path) -> None:
    town.store.settings = town.store.settings.model_copy(update={"candidate_dir": weights(tmp_path / "new", "new-1")})
    assert _promote(town, None, floors, file).version == "new-1"


def test_nothing_to_promote_and_nothing_to_go_back_to_are_said(town: House, floors: Path, file: Path) -> None:
    with pytest.raises(StoreFault, match="there is no candidate"):
        _promote(town, None, floors, file)
    with pytest.raises(ModelUnavailable, match="nothing was promoted"):
        promote.roll_back(town.store, officer="zhao", reason="试试", now=town.now)


def test_what_is_in_force_is_not_promoted_again(town: House, floors: Path, file: Path, tmp_path: Path) -> None:
    folder = weights(tmp_path / "new", "new-1")
    _promote(town, folder, floors, file)
    with pytest.raises(StoreFault, match="in force already"):
        _promote(town, folder, floors, file)


def test_a_rollback_to_weights_that_are_gone_is_refused(town: House, floors: Path, file: Path, tmp_path: Path) -> None:
    first = _promote(town, weights(tmp_path / "one", "one-1"), floors, file)
    _promote(town, weights(tmp_path / "two", "two-1"), floors, file)
    shutil.rmtree(promotion.home_of(town.store.settings.dir) / first.now)
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        promote.roll_back(town.store, officer="zhao", reason="误报变多", now=town.now)
    assert _live(town) == "two-1"


KILLED = """
import os, signal, sys
from pathlib import Path
from domain.clock import utc_now
from domain.settings import load
from pipelines import promote
from store.engine import open_store

real = Path.replace

def die(self, target):
    if Path(target).name == "pointers.json":
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, target)

Path.replace = die
promote.promote(open_store(load()), Path(sys.argv[1]), officer="zhao", reason=None, now=utc_now(), floors=Path(sys.argv[2]))
"""


def test_a_command_killed_in_mid_promotion_leaves_the_old_weights_and_a_record(house: House, tmp_path: Path) -> None:
    folder, floors = weights(tmp_path / "new", "new-1"), tmp_path / "none.yml"
    words = [sys.executable, "-c", KILLED, str(folder), str(floors)]
    done = subprocess.run(words, cwd=ROOT, env={**os.environ, **house.store.settings.environment()}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert standing(house.store).live.source == "packaged"
    assert _acts(house) == ["weights.promote"]
    again = promote.promote(house.store, folder, officer="zhao", reason=None, now=house.now, floors=floors)
    assert (again.version, _live(house)) == ("new-1", "new-1")


def test_where_a_setting_names_the_candidate_none_is_proposed(town: House, tmp_path: Path) -> None:
    town.store.settings = town.store.settings.model_copy(update={"candidate_dir": tmp_path})
    with pytest.raises(StoreFault, match="WANGXUN_CANDIDATE_DIR names"):
        promote.propose(town.store, weights(tmp_path / "new", "new-1"), officer="zhao", now=town.now)


def test_labels_are_held_against_both_judges(town: House, tmp_path: Path) -> None:
    version = promote.propose(town.store, weights(tmp_path / "new", "new-1"), officer="zhao", now=town.now).version
    _, posting = town.kept()
    with town.store.write() as conn:
        said = {"posting_id": posting, "at": town.now, "score": 0.3, "model": version}
        live = {"live_model": "m", "live_level": "watch", "live_score": 0.3, "cost_us": 1, "live_cost_us": 1}
        conn.execute(tables.shadows.insert().values(**said, **live, level="review"))
        conn.execute(tables.labels.insert().values(**said, label="fundraising_promo", officer="wang", ruleset="r"))
    found = standing(town.store).beside
    assert found is not None
    assert (found.decided, found.right, found.live_right) == (1, 1, 0)


def test_a_candidate_is_withdrawn(town: House, tmp_path: Path) -> None:
    promote.propose(town.store, weights(tmp_path / "new", "new-1"), officer="zhao", now=town.now)
    promote.withdraw(town.store, officer="zhao", now=town.now)
    assert standing(town.store).candidate is None


def test_standing_names_what_is_wrong_with_a_set(town: House, tmp_path: Path) -> None:
    name = promote.propose(town.store, weights(tmp_path / "new", "new-1"), officer="zhao", now=town.now).now
    spoilt(promotion.home_of(town.store.settings.dir) / name)
    found = standing(town.store)
    assert found.candidate is not None
    assert "linear.npz: sha256" in found.candidate.fault
    assert found.beside is None
