"""The gate as a mechanism, and the real one: the set that Wangxun carries keeps the figures that were pinned."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from classifiers import dataset, gate, labelled, pinning
from classifiers.dataset import PROMOS, SCHEMES, Row
from classifiers.evaluate import judge_of, words
from classifiers.figures import Figures, Word, figures, level_of
from classifiers.fusion import Mode
from classifiers.gate import Floors
from classifiers.labelled import Labelled
from classifiers.pinning import Taken
from domain.errors import ConfigFault

CARRIED = gate.carried(gate.read())
GOLDEN = labelled.DATA / "golden" / "golden.jsonl"


# The real gate.


@pytest.mark.parametrize("mode", ["keyword", "both"])
@pytest.mark.parametrize("name", sorted(CARRIED))
def test_carried_set_keeps_its_floors(name: str, mode: Mode) -> None:
    """Where this fails: mend what was lost, or pin anew with a reason (CONTRIBUTING.md, The gate)."""
    file, floors = labelled.read(CARRIED[name]), gate.read()
    pinned = gate.pinned(floors, gate.name_of(floors, file), mode)[mode]
    found = figures(file.rows, words(file.rows, judge_of(mode, rules_dir=None, weights_dir=None)))
    lost = [f"{one.figure} {one.measured:.4f}, pinned {one.bound:.4f}" for one in gate.check(pinned, found) if not one.ok]
    assert not lost, "\n".join(lost)


def test_the_golden_set_is_carried_and_pinned() -> None:
    assert GOLDEN in CARRIED.values()


def test_the_golden_set_has_every_scheme_five_times_and_enough_of_what_is_none() -> None:
    rows = dataset.read(GOLDEN)
    counts = Counter(slug for row in rows if row.suspected for slug in row.schemes)
    assert [slug for slug in SCHEMES if counts[slug] < 5] == []
    assert sum(not row.suspected for row in rows) >= 180
    assert {row.label for row in rows} == set(dataset.LABELS)


def test_the_golden_set_has_twenty_pairs_of_both_sides() -> None:
    sides: dict[str, set[bool]] = {}
    for row in dataset.read(GOLDEN):
        sides.setdefault(row.pair, set()).add(row.label in PROMOS)
    assert len([pair for pair, own in sides.items() if pair and len(own) == 2]) >= 20


def _grams(text: str) -> frozenset[str]:
    plain = "".join(sign for sign in text if sign.isalnum())
    return frozenset(plain[at : at + 5] for at in range(len(plain) - 4))


def test_the_golden_set_stands_apart_from_what_is_learned_from() -> None:
    """No composed text shares half of its 5-grams with a golden one: what is learned by heart would prove nothing."""
    learned = [_grams(row.text) for row in dataset.composed()]
    index: dict[str, list[int]] = {}
    for number, grams in enumerate(learned):
        for gram in grams:
            index.setdefault(gram, []).append(number)
    near = []
    for row in dataset.read(GOLDEN):
        grams = _grams(row.text)
        shared = Counter(number for gram in grams for number in index.get(gram, ()))
        near += [row.text for number, count in shared.most_common(1) if count > min(len(grams), len(learned[number])) / 2]
    assert near == []


# The mechanism.


def _file(tmp_path: Path, *labels: str, name: str = "set.jsonl") -> Labelled:
    path = tmp_path / name
    path.write_text("".join(json.dumps({"text": f"t{n}", "label": label}) + "\n" for n, label in enumerate(labels)), "utf-8")
    return labelled.read(path)


def _figures(*scored: tuple[str, float]) -> Figures:
    rows = [Row(text="x", label=label) for label, _ in scored]
    return figures(rows, [Word(score=score, level=level_of(score)) for _, score in scored])


GOOD = [("fundraising_promo", 0.95)] * 8 + [("fundraising_promo", 0.1)] * 2 + [("news", 0.05)] * 10
BAD = [("fundraising_promo", 0.95)] * 6 + [("fundraising_promo", 0.05)] * 4 + [("news", 0.6)] * 3 + [("news", 0.05)] * 7


def _taken(scored: list[tuple[str, float]]) -> Taken:
    return Taken(figures=_figures(*scored), rules="r", weights="none")


def _pinned(tmp_path: Path, scored: list[tuple[str, float]], *, floors: Floors | None = None, reason: str = "") -> tuple[Floors, str]:
    file = _file(tmp_path, *(label for label, _ in scored))
    return pinning.pin(floors or Floors(), "mine", file=file, taken={"keyword": _taken(scored)}, reason=reason)


def test_a_floor_stands_one_row_under_what_was_measured(tmp_path: Path) -> None:
    own = _pinned(tmp_path, GOOD)[0].sets["mine"].judges["keyword"]
    assert own.least["review/recall"] == 0.7
    assert own.least["review/precision"] == 0.875
    assert own.most["review/false_hits/news"] == 0.1
    assert own.most["calibration_error"] == pytest.approx(0.235)


def test_one_row_less_is_kept_and_two_are_lost(tmp_path: Path) -> None:
    own = _pinned(tmp_path, GOOD)[0].sets["mine"].judges["keyword"]
    one = _figures(*[("fundraising_promo", 0.95)] * 7, *[("fundraising_promo", 0.1)] * 3, *[("news", 0.05)] * 10)
    two = _figures(*[("fundraising_promo", 0.95)] * 6, *[("fundraising_promo", 0.1)] * 4, *[("news", 0.05)] * 10)
    assert {verdict.figure: verdict.ok for verdict in gate.check(own, one)}["review/recall"]
    assert not {verdict.figure: verdict.ok for verdict in gate.check(own, two)}["review/recall"]


def test_false_hits_over_their_ceiling_are_lost(tmp_path: Path) -> None:
    own = _pinned(tmp_path, GOOD)[0].sets["mine"].judges["keyword"]
    lost = {verdict.figure for verdict in gate.check(own, _figures(*BAD)) if not verdict.ok}
    assert {"review/false_hits/news", "review/recall", "review/precision"} <= lost


def test_a_judge_that_no_longer_hits_loses_its_precision(tmp_path: Path) -> None:
    own = _pinned(tmp_path, GOOD)[0].sets["mine"].judges["keyword"]
    silent = _figures(*((label, 0.01) for label, _ in GOOD))
    assert not {verdict.figure: verdict.ok for verdict in gate.check(own, silent)}["review/precision"]


def test_pinning_the_same_twice_changes_nothing(tmp_path: Path) -> None:
    floors, _ = _pinned(tmp_path, GOOD)
    assert _pinned(tmp_path, GOOD, floors=floors) == (floors, "")


def test_a_floor_rises_by_itself(tmp_path: Path) -> None:
    better = [("fundraising_promo", 0.95)] * 10 + [("news", 0.05)] * 10
    floors, line = _pinned(tmp_path, better, floors=_pinned(tmp_path, GOOD)[0])
    assert line == ""
    assert floors.sets["mine"].judges["keyword"].least["review/recall"] == 0.9


def test_a_floor_is_not_worn_down_by_pinning_row_after_row(tmp_path: Path) -> None:
    floors, _ = _pinned(tmp_path, GOOD)
    less = [("fundraising_promo", 0.95)] * 7 + [("fundraising_promo", 0.1)] * 3 + [("news", 0.05)] * 10
    assert _pinned(tmp_path, less, floors=floors)[0].sets["mine"].judges["keyword"].least["review/recall"] == 0.7


def test_a_floor_is_not_lowered_without_a_reason(tmp_path: Path) -> None:
    floors, _ = _pinned(tmp_path, GOOD)
    with pytest.raises(ConfigFault, match=r"keyword review/recall 0.7000 -> 0.5000.*--allow-regression"):
        _pinned(tmp_path, BAD, floors=floors, reason="  ")


def test_a_floor_lowered_for_a_reason_keeps_the_reason(tmp_path: Path) -> None:
    floors, line = _pinned(tmp_path, BAD, floors=_pinned(tmp_path, GOOD)[0], reason="fewer false alarms")
    assert "review/recall 0.7000 -> 0.5000" in line
    assert floors.sets["mine"].lowered == (line,)
    assert floors.sets["mine"].judges["keyword"].least["review/recall"] == 0.5


def test_one_judge_pinned_anew_leaves_the_others(tmp_path: Path) -> None:
    floors, _ = _pinned(tmp_path, GOOD)
    file = _file(tmp_path, *(label for label, _ in GOOD))
    floors, _ = pinning.pin(floors, "mine", file=file, taken={"both": _taken(GOOD)})
    assert set(floors.sets["mine"].judges) == {"keyword", "both"}


def test_an_unknown_file_is_told_how_to_be_pinned(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault, match=r"pinned under no name.*--pin NAME"):
        gate.name_of(Floors(), _file(tmp_path, "news"))


def test_a_pinned_file_is_known_under_any_name(tmp_path: Path) -> None:
    floors, _ = _pinned(tmp_path, GOOD)
    moved = _file(tmp_path, *(label for label, _ in GOOD), name="other.jsonl")
    assert gate.name_of(floors, moved) == "mine"


def test_a_file_that_changed_under_its_name_is_refused(tmp_path: Path) -> None:
    floors, _ = _pinned(tmp_path, GOOD)
    with pytest.raises(ConfigFault, match="changed under its name"):
        gate.name_of(floors, _file(tmp_path, "news"))


def test_another_set_takes_a_pinned_name_only_for_a_reason(tmp_path: Path) -> None:
    floors, _ = _pinned(tmp_path, GOOD)
    with pytest.raises(ConfigFault, match="another set of 13 rows"):
        _pinned(tmp_path, GOOD[:13], floors=floors)
    assert _pinned(tmp_path, GOOD[:13], floors=floors, reason="rows withdrawn")[0].sets["mine"].rows == 13


def test_a_set_has_one_name(tmp_path: Path) -> None:
    floors, _ = _pinned(tmp_path, GOOD)
    with pytest.raises(ValueError, match="pinned as mine already"):
        pinning.pin(floors, "yours", file=_file(tmp_path, *(label for label, _ in GOOD)), taken={"keyword": _taken(GOOD)})


@pytest.mark.parametrize("name", ["", "A", "../x", "dev set"])
def test_a_name_is_a_plain_word(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        pinning.pin(Floors(), name, file=_file(tmp_path, "news"), taken={})


def test_a_judge_that_is_not_pinned_is_told_how_to_be(tmp_path: Path) -> None:
    floors, _ = _pinned(tmp_path, GOOD)
    with pytest.raises(ConfigFault, match="--pin mine --judge neural"):
        gate.pinned(floors, "mine", "neural")


def test_floors_are_read_as_they_were_written(tmp_path: Path) -> None:
    floors, _ = _pinned(tmp_path, GOOD)
    gate.write(floors, tmp_path / "floors.yml")
    assert gate.read(tmp_path / "floors.yml") == floors
    assert not list(tmp_path.glob("*.part"))


def test_floors_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault, match="cannot be written"):
        gate.write(Floors(), tmp_path / "no" / "floors.yml")


@pytest.mark.parametrize("text", ["sets: [1]", "sets: {a: {file: x}}", "sats: {}", "a: [", "sets: {a: 1}"])
def test_broken_floors_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "floors.yml").write_text(text, "utf-8")
    with pytest.raises(ConfigFault, match=r"floors\.yml:1"):
        gate.read(tmp_path / "floors.yml")


def test_a_lowered_floor_is_a_line_in_the_rules_of_what_is_unreleased(tmp_path: Path) -> None:
    path = tmp_path / "CHANGELOG.md"
    text = "# C\n\n## [Unreleased]\n\n### Added\n\n- a\n\n### Rules\n\n- b\n\n## [0.1]\n\n### Rules\n\n- old\n"
    path.write_text(text, "utf-8")
    pinning.record(path, "new")
    assert path.read_text("utf-8") == text.replace("- b\n", "- b\n- new\n")


@pytest.mark.parametrize("text", ["# C\n", "## [Unreleased]\n\n### Added\n\n- a\n\n## [0.1]\n\n### Rules\n\n- old\n"])
def test_a_changelog_without_the_section_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "CHANGELOG.md").write_text(text, "utf-8")
    with pytest.raises(ConfigFault, match="no Rules section"):
        pinning.record(tmp_path / "CHANGELOG.md", "new")
