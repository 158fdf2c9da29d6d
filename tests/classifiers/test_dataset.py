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
    rows = [Row(text=text, label="other") for text in ("保本 理财", "保本\n理财", "ABC", "abc", "ＡＢＣ")]
    assert [row.text for row in dataset.distinct(rows)] == ["保本 理财", "ABC"]


def test_distinct_keeps_the_row_that_more_people_read_in_its_place() -> None:
    rows = [
        Row(text="满100送20", label="other_ad", readers=1),
        Row(text="停水", label="other"),
        Row(text="满200送50", label="other_ad", readers=2),
    ]
    assert [row.text for row in dataset.distinct(rows)] == ["停水", "满200送50"]


def test_distinct_keeps_a_pair_that_only_a_number_tells_apart() -> None:
    rows = [Row(text="年化3%", label="legit_finance"), Row(text="年化36%", label="fundraising_promo")]
    assert dataset.distinct(rows) == rows


def test_distinct_keeps_one_of_two_readings_of_one_text() -> None:
    rows = [Row(text="年化3%", label="news", readers=1), Row(text="年化3%", label="legit_finance", readers=2)]
    assert [row.label for row in dataset.distinct(rows)] == ["legit_finance"]


TEMPLATE = "【年终回馈】存满10万送电视一台，详询王经理，名额有限先到先得"


def test_united_ties_near_duplicates_across_sources() -> None:
    rows = [
        Row(text=TEMPLATE, label="fundraising_promo", source="a", group="a:1"),
        Row(text="停水通知", label="other", source="a", group="a:2"),
        Row(text=TEMPLATE.replace("10", "50"), label="fundraising_promo", source="b", group="b:1"),
    ]
    assert [row.group for row in dataset.united(rows)] == ["a:1", "a:2", "a:1"]


def test_united_ties_group_and_pair_into_one() -> None:
    rows = [
        Row(text="甲", label="other", group="g1", pair="p"),
        Row(text="乙", label="other", group="g2", pair="p"),
        Row(text="丙", label="other", group="g2"),
        Row(text="丁", label="other", group="g3"),
    ]
    assert [row.group for row in dataset.united(rows)] == ["g1", "g1", "g1", "g3"]


def test_a_real_row_near_a_held_composed_one_is_held_too() -> None:
    group = next(f"z{number}" for number in range(999) if dataset.fold_of(f"z{number}", folds=20, salt="held") == 0)
    rows = [
        Row(text=TEMPLATE, label="fundraising_promo", group="a:1"),
        Row(text=TEMPLATE, label="fundraising_promo", group=group, composed=True),
        Row(text="停水通知", label="other", group=group + "0"),
    ]
    assert [dataset.held_out(row) for row in dataset.united(rows)] == [True, True, False]


def test_uniting_leaves_composed_rows_held_as_they_were() -> None:
    rows = dataset.composed()
    before = {row.text for row in rows if dataset.held_out(row)}
    assert {row.text for row in dataset.united(rows) if dataset.held_out(row)} == before


def test_prepared_exchanges_contacts_of_real_rows_alone() -> None:
    text = "加微信licai8888咨询"
    real, made = dataset.prepared([Row(text=text, label="other_ad"), Row(text=text + "！", label="other_ad", composed=True)])
    assert "licai8888" not in real.text
    assert made.text == text + "！"


def _dated(group: str, day: str) -> Row:
    return Row(text=f"{group}{day}", label="other", group=group, date=day)


def test_split_by_time_tests_on_groups_that_are_wholly_later() -> None:
    old, new, undated = _dated("a", "2018-05-01"), _dated("b", "2019-01-01"), _dated("c", "")
    both, again = _dated("d", "2018-05-01"), _dated("d", "2019-06-01")
    later, copy = _dated("e", "2019-06-01"), _dated("e", "")
    before, after = dataset.split_by_time([old, new, undated, both, again, later, copy], since="2019-01-01")
    assert before == [old, undated, both, again]
    assert after == [new, later, copy]


def test_split_by_time_refuses_what_is_no_day() -> None:
    with pytest.raises(ValueError, match="2019"):
        dataset.split_by_time([], since="2019")


def test_read_takes_register_evasion_and_date(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        '{"text": "a", "label": "news", "register": "sms", "evasion": ["谐音", "拆字"], "date": "2019-03-02"}\n'
        '{"text": "b", "label": "news", "evasion": "谐音"}\n',
        "utf-8",
    )
    first, second = dataset.read(path)
    assert (first.register, first.evasion, first.date) == ("sms", ("谐音", "拆字"), "2019-03-02")
    assert (second.register, second.evasion, second.date) == ("", ("谐音",), "")


def test_read_names_a_date_that_is_none(tmp_path: Path) -> None:
    path = _write(tmp_path / "rows.jsonl", [{"text": "a", "label": "news", "date": "2019-13-02"}])
    with pytest.raises(ConfigFault, match=r"rows\.jsonl:1: "):
        dataset.read(path)


def test_read_says_that_a_packed_file_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.xz"
    path.write_bytes(lzma.compress(b'{"text": "x", "label": "news"}\n' * 9)[:-20])
    with pytest.raises(ConfigFault, match="breaks off"):
        dataset.read(path)


def test_digest_follows_texts_and_labels() -> None:
    rows = [Row(text="a", label="other"), Row(text="b", label="news")]
    assert dataset.digest(rows) == dataset.digest(list(rows))
    assert dataset.digest(rows) != dataset.digest(rows[::-1])
