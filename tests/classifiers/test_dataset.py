from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from classifiers import dataset
from classifiers.dataset import Row
from domain.errors import ConfigFault


def _write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def test_read_names_every_faulty_line_at_once(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(
        b'{"text": "a", "label": "news"}\n{"text": "a", "label": "scam"}\nnot json\n{"text": " ", "label": "news"}\n'
        b'{"text": "a", "label": "news", "scheme": "perpetuum"}\n\xff\xfe\n[1]\n'
    )
    with pytest.raises(ConfigFault) as caught:
        dataset.read(path)
    assert [fault.line for fault in caught.value.faults] == [2, 3, 4, 5, 6, 7]
    assert "'scam'" in str(caught.value)


def test_read_missing_file_is_a_fault_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault, match=r"gone\.jsonl"):
        dataset.read(tmp_path / "gone.jsonl")


def test_read_takes_both_spellings_of_group_and_xz(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.xz"
    with lzma.open(path, "wt", encoding="utf-8") as file:
        line = {"text": "保本", "label": "fundraising_promo", "scheme": "metaverse", "cluster": "c1", "sure": 0, "readers": 2}
        file.write(json.dumps(line))
    (row,) = dataset.read(path)
    assert (row.group, row.schemes, row.sure, row.readers, row.suspected) == ("c1", ("nft",), False, 2, True)


def test_composed_texts_of_the_repository_are_sound() -> None:
    rows = dataset.composed()
    assert len(rows) >= 4702
    assert {slug for row in rows if row.suspected for slug in row.schemes} == set(dataset.SCHEMES)
    assert {row.label for row in rows} == set(dataset.LABELS)
    held = sum(map(dataset.held_out, rows)) / len(rows)
    assert 0.03 < held < 0.08


def test_both_sides_of_a_pair_are_held_out_together() -> None:
    sides: dict[str, set[bool]] = {}
    for row in dataset.composed():
        if row.pair:
            sides.setdefault(row.pair, set()).add(dataset.held_out(row))
    assert len(sides) > 250
    assert all(len(found) == 1 for found in sides.values())


def test_composed_neighbours_share_a_group(tmp_path: Path) -> None:
    rows = [{"text": f"text {n}", "label": "other"} for n in range(20)]
    rows[7]["pair"] = rows[17]["pair"] = "p"
    _write(tmp_path / "part1.jsonl", rows)
    groups = [row.group for row in dataset.composed(tmp_path)]
    assert groups[0] == groups[7] == groups[17]
    assert groups[8] == groups[15] != groups[0]


def test_split_never_cuts_a_group() -> None:
    rows = [Row(text=str(n), label="other", group=f"g{n // 5}") for n in range(200)]
    sides = [dataset.split(rows, folds=4, fold=fold) for fold in range(4)]
    assert all({row.group for row in kept}.isdisjoint(row.group for row in aside) for kept, aside in sides)
    assert sorted(row.text for _, aside in sides for row in aside) == sorted(row.text for row in rows)


def test_weights_count_two_readers_more_and_near_duplicates_less() -> None:
    rows = [Row(text=str(n), label="other", group="many") for n in range(10)]
    rows += [Row(text="x", label="other", group="one"), Row(text="y", label="other", group="two", readers=2)]
    found = dataset.weights(rows)
    assert found[0] < found[10] < found[11]
    assert sum(found[:10]) > found[10]


def test_distinct_drops_texts_that_read_the_same() -> None:
    rows = [Row(text=text, label="other") for text in ("保本 理财", "保本\n理财", "ABC", "abc")]
    assert [row.text for row in dataset.distinct(rows)] == ["保本 理财", "ABC"]


def test_digest_follows_texts_and_labels() -> None:
    rows = [Row(text="a", label="other"), Row(text="b", label="news")]
    assert dataset.digest(rows) == dataset.digest(list(rows))
    assert dataset.digest(rows) != dataset.digest(rows[::-1])
