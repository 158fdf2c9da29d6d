"""Labels kept by hash become rows to learn from; a second reading that agrees makes a row surer; nothing near what is measured on."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from classifiers import standoff
from classifiers.dataset import Row
from classifiers.training import readings

FIRST = {"text": "月息三分，随存随取，只等有缘人，名额不多了", "label": "fundraising_promo", "scheme": "p2p", "source": "sms_mudou"}
FIRST |= {"group": "g1", "sure": 0, "readers": 1}


def _folder(tmp_path: Path) -> Path:
    (tmp_path / "labelled").mkdir()
    (tmp_path / "pretrain").mkdir()
    (tmp_path / "labelled" / "real_train.jsonl.xz").write_bytes(lzma.compress(json.dumps(FIRST).encode()))
    return tmp_path


def _labels(tmp_path: Path, *rows: Row) -> Path:
    standoff.write(rows, tmp_path / "labels" / "mine.jsonl")
    return tmp_path / "labels"


@pytest.mark.parametrize(
    ("label", "sure", "wanted"),
    [
        ("illegal_finance_promo", True, ("fundraising_promo", 2, True)),
        ("illegal_finance_promo", False, ("fundraising_promo", 2, False)),
        ("other", True, ("fundraising_promo", 1, False)),
        ("other", False, ("fundraising_promo", 1, False)),
    ],
)
def test_a_second_reading_that_agrees_makes_a_row_of_two_readers(
    tmp_path: Path, label: str, sure: bool, wanted: tuple[str, int, bool]
) -> None:
    labels = _labels(tmp_path, Row(text=str(FIRST["text"]), label=label, sure=sure))
    (row,) = readings.again(_folder(tmp_path), labels=labels)
    assert (row.label, row.readers, row.sure) == wanted


def test_rows_of_sets_and_of_plain_text_are_joined_but_not_near_what_is_measured_on(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    kept, near_dev = "本周末山庄开业，烧烤免费，请带好家人前来游玩", "内部项目月返百分之十，保本保息，加微信详谈，错过再无"
    (folder / "pretrain" / "weibo2018.txt.xz").write_bytes(lzma.compress(f"{kept}\n{near_dev}\n没有人读过的一行\n".encode()))
    labels = _labels(tmp_path, Row(text=kept, label="other_ad"), Row(text=near_dev, label="fundraising_promo", schemes=("p2p",)))
    rows = readings.alone(folder, avoid=[near_dev + "！"], composed=tmp_path, labels=labels)
    assert [(row.text, row.label, row.source, row.readers, row.sure) for row in rows] == [(kept, "other_ad", "weibo2018", 1, False)]


def test_without_labels_nothing_is_joined(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    assert readings.alone(folder, avoid=[], composed=tmp_path, labels=tmp_path / "none") == []
    assert [row.readers for row in readings.again(folder, labels=tmp_path / "none")] == [1]
