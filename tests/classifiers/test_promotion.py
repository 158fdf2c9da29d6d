"""Sets of weights: copied whole, pointed at whole, and refused where anything of them is not as its manifest says."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from classifiers import manifest, promotion
from classifiers.promotion import Pointers
from domain.errors import ModelUnavailable
from tests.weights import spoilt, weights

ROOT = Path(__file__).parents[2]
CHILD = """
import os, signal, sys
from pathlib import Path
from classifiers import promotion
from domain import wholefile

die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
home, moment = Path(sys.argv[1]), sys.argv[2]
if moment == "before the bytes are safe":
    os.fsync = die
elif moment == "before the rename":
    Path.replace = die
else:
    wholefile.sync = die
promotion.write(home, promotion.promoted(promotion.read(home), "new", since="2"))
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "data" / "weights"


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_set_is_copied_whole_and_independent_of_its_source(tmp_path: Path, home: Path) -> None:
    source = weights(tmp_path / "made", "new-1")
    name = promotion.take_in(source, home)
    shutil.rmtree(source)
    assert name.startswith("new-1-")
    assert promotion.checked(home / name).version == "new-1"
    assert [path.name for path in home.iterdir()] == [name]


def test_the_same_set_taken_in_twice_is_one(tmp_path: Path, home: Path) -> None:
    source = weights(tmp_path / "made", "new-1")
    assert promotion.take_in(source, home) == promotion.take_in(source, home)


def test_a_copy_that_was_altered_is_taken_in_anew(tmp_path: Path, home: Path) -> None:
    source = weights(tmp_path / "made", "new-1")
    spoilt(home / promotion.take_in(source, home))
    assert promotion.checked(home / promotion.take_in(source, home)).version == "new-1"


@pytest.mark.parametrize("name", ["linear.npz", "tokenizer.json", "model.onnx"])
def test_an_altered_file_is_refused_and_leaves_nothing(tmp_path: Path, home: Path, name: str) -> None:
    with pytest.raises(ModelUnavailable, match=rf"{name}: sha256"):
        promotion.take_in(spoilt(weights(tmp_path / "made", "new-1"), name), home)
    assert list(home.glob("*")) == []


def test_a_missing_file_is_named(tmp_path: Path, home: Path) -> None:
    source = weights(tmp_path / "made", "new-1")
    (source / "model.onnx").unlink()
    with pytest.raises(ModelUnavailable, match=r"model\.onnx: cannot be read"):
        promotion.take_in(source, home)


def _reworded(source: Path, **parts: object) -> Path:
    path = source / manifest.NAME
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | parts), "utf-8")
    return source


def test_an_unknown_tokenizer_is_refused_though_its_hash_is_right(tmp_path: Path, home: Path) -> None:
    source = weights(tmp_path / "made", "new-1")
    (source / "tokenizer.json").write_text('{"model": {"type": "Oracle"}}', "utf-8")
    files = dict(manifest.read(source).files) | {"tokenizer.json": manifest.sha256((source / "tokenizer.json").read_bytes())}
    with pytest.raises(ModelUnavailable, match="is no tokenizer"):
        promotion.take_in(_reworded(source, files=files), home)


@pytest.mark.parametrize("parts", [{"mixture": {}}, {"calibration": {"logits": [0.0]}}, {"voices": {"linear": {}}}, {"reading": {}}])
def test_a_manifest_by_which_nothing_can_be_judged_is_refused(tmp_path: Path, home: Path, parts: dict[str, object]) -> None:
    with pytest.raises(ModelUnavailable, match=r"cannot (judge|be used)"):
        promotion.take_in(_reworded(weights(tmp_path / "made", "new-1"), **parts), home)


def test_scores_outside_their_bounds_are_refused(tmp_path: Path, home: Path) -> None:
    source = _reworded(weights(tmp_path / "made", "new-1"), calibration={"logits": [-1.0, 1.0], "probabilities": [0.0, 7.0]})
    with pytest.raises(ModelUnavailable, match="outside 0-1"):
        promotion.take_in(source, home)


def test_a_manifest_cannot_name_a_file_elsewhere(tmp_path: Path, home: Path) -> None:
    (tmp_path / "secret").write_text("x", "utf-8")
    source = weights(tmp_path / "made", "new-1")
    files = dict(manifest.read(source).files) | {"../secret": manifest.sha256(b"x")}
    with pytest.raises(ModelUnavailable, match="no plain file name"):
        promotion.take_in(_reworded(source, files=files), home)


def test_no_room_for_a_copy_leaves_the_folder_as_it_was(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = weights(tmp_path / "made", "new-1")
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(ModelUnavailable, match=r"cannot be written: No space left.*the weights in force are the old ones"):
        promotion.take_in(source, home)
    assert list(home.glob("*")) == []


def test_no_room_for_the_pointers_leaves_the_old_ones(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    promotion.write(home, Pointers(live="old"))
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(ModelUnavailable, match="No space left"):
        promotion.write(home, Pointers(live="new"))
    assert promotion.read(home).live == "old"
    assert [path.name for path in home.iterdir()] == [promotion.POINTERS]


@pytest.mark.parametrize(
    ("moment", "live"), [("before the bytes are safe", "old"), ("before the rename", "old"), ("after the rename", "new")]
)
def test_a_kill_in_mid_promotion_leaves_the_old_weights_or_the_new(home: Path, moment: str, live: str) -> None:
    promotion.write(home, Pointers(live="old"))
    done = subprocess.run([sys.executable, "-c", CHILD, str(home), moment], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert promotion.read(home).live == live


@pytest.mark.parametrize("text", ["", "[]", "{", '{"live": "../../etc", "previous": [], "candidate": "", "since": ""}', "\udcff"])
def test_pointers_that_nobody_can_read_name_the_way_out(home: Path, text: str) -> None:
    home.mkdir(parents=True)
    (home / promotion.POINTERS).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelUnavailable, match="delete it, and the weights that came with the program judge"):
        promotion.read(home)
    assert promotion.order(home, None) == [None]


def test_promotions_keep_three_sets_to_go_back_to_and_no_more(home: Path) -> None:
    pointers = Pointers()
    for name in ("a", "b", "c", "d", "e"):
        pointers = promotion.promoted(pointers, name, since=name)
    assert (pointers.live, pointers.previous) == ("e", ("d", "c", "b"))


def test_rolling_back_walks_the_way_that_promotion_came() -> None:
    pointers = promotion.promoted(promotion.promoted(Pointers(), "a", since="1"), "b", since="2")
    back = promotion.rolled_back(pointers, since="3")
    assert (back.live, back.previous) == ("a", ("",))
    with pytest.raises(ModelUnavailable, match="nothing was promoted"):
        promotion.rolled_back(promotion.rolled_back(back, since="4"), since="5")


def test_a_set_promoted_again_stands_once_in_the_row() -> None:
    pointers = promotion.promoted(promotion.promoted(Pointers(), "a", since="1"), "b", since="2")
    assert promotion.promoted(pointers, "a", since="3").previous == ("b", "")


def test_sets_that_no_pointer_names_are_removed_with_half_copies(home: Path) -> None:
    for name in ("live", "candidate", "before", "forgotten", ".part-half"):
        (home / name).mkdir(parents=True)
    promotion.prune(home, Pointers(live="live", candidate="candidate", previous=("before", "")))
    assert sorted(path.name for path in home.iterdir()) == ["before", "candidate", "live"]


def test_a_setting_stands_before_what_was_promoted(tmp_path: Path, home: Path) -> None:
    promotion.write(home, Pointers(live="new"))
    assert promotion.in_force(tmp_path / "data", None) == home / "new"
    assert promotion.in_force(tmp_path / "data", tmp_path) == tmp_path


def test_two_commands_do_not_change_the_weights_at_once(home: Path) -> None:
    with promotion.alone(home), pytest.raises(ModelUnavailable, match="another command changes the weights"), promotion.alone(home):
        pass
