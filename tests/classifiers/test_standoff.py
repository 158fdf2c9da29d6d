from __future__ import annotations

import json
from pathlib import Path

import pytest

from classifiers import dataset, standoff
from classifiers.dataset import Row
from domain.errors import ConfigFault

PROMO = Row(text="保本理财 月息3%", label="fundraising_promo", schemes=("wealth_mgmt", "p2p"), readers=2)
OTHER = Row(text="明天停水", label="other", sure=False)


def _kept(folder: Path, *rows: Row) -> Path:
    folder.mkdir(exist_ok=True)
    standoff.write(rows, folder / "mine.jsonl")
    return folder


def test_labels_are_written_without_the_texts(tmp_path: Path) -> None:
    written = (_kept(tmp_path / "labels", PROMO, OTHER) / "mine.jsonl").read_text("utf-8")
    assert "保本" not in written
    assert "停水" not in written
    assert [set(json.loads(line)) for line in written.splitlines()] in (
        [{"sha256", "label", "schemes", "sure", "readers"}, {"sha256", "label", "scheme", "sure", "readers"}],
        [{"sha256", "label", "scheme", "sure", "readers"}, {"sha256", "label", "schemes", "sure", "readers"}],
    )


def test_labels_join_the_texts_at_hand_however_they_are_spaced(tmp_path: Path) -> None:
    labels = standoff.read(_kept(tmp_path / "labels", PROMO, OTHER))
    rows = standoff.joined(["闲谈", "保本理财月息３%", "明天 停水", "明天停水"], labels, source="set")
    assert [(row.text, row.label, row.schemes, row.sure, row.readers) for row in rows] == [
        ("保本理财月息３%", "fundraising_promo", ("wealth_mgmt", "p2p"), True, 2),
        ("明天 停水", "other", (), False, 1),
    ]
    assert {row.source for row in rows} == {"set"}


def test_no_folder_is_no_labels(tmp_path: Path) -> None:
    assert standoff.read(tmp_path / "gone") == {}


def test_the_packaged_labels_are_sound() -> None:
    assert all(len(key) == 64 for key in standoff.read())


def test_of_two_readings_of_one_text_the_better_is_written(tmp_path: Path) -> None:
    folder = _kept(tmp_path / "labels", Row(text="甲", label="news", readers=2), Row(text="甲", label="other", readers=1))
    assert [one.label for one in standoff.read(folder).values()] == ["news"]


def test_files_that_contradict_each_other_or_are_faulty_are_named_with_all_lines(tmp_path: Path) -> None:
    folder = _kept(tmp_path / "labels", OTHER)
    contrary = json.dumps({"sha256": standoff.key(OTHER.text), "label": "news", "scheme": None})
    lines = [contrary, "", '{"sha256": "12", "label": "news"}', '{"label": "news"}', f'{{"sha256": "{"0" * 64}", "label": "scam"}}', "x"]
    (folder / "theirs.jsonl").write_text("\n".join(lines), "utf-8")
    with pytest.raises(ConfigFault) as caught:
        standoff.read(folder)
    assert [fault.line for fault in caught.value.faults] == [1, 3, 4, 5, 6]
    assert "says news of a text that is other" in str(caught.value)


def test_the_command_writes_from_a_labelled_file_and_names_a_faulty_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "rows.jsonl", tmp_path / "labels" / "rows.jsonl"
    path.write_text(json.dumps({"text": "甲", "label": "news"}), "utf-8")
    assert standoff.main([str(path), str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: 1 labels\n"
    assert list(standoff.read(out.parent)) == [standoff.key("甲")]
    path.write_text("x", "utf-8")
    assert standoff.main([str(path), str(out)]) == 1
    assert "rows.jsonl:1:" in capsys.readouterr().err


def test_a_written_file_reads_like_a_labelled_one_once_joined(tmp_path: Path) -> None:
    labels = standoff.read(_kept(tmp_path / "labels", PROMO))
    (row,) = standoff.joined([PROMO.text], labels, source="set")
    assert dataset.digest([row]) == dataset.digest([PROMO])
