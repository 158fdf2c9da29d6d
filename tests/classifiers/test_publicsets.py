"""Small sets of the same form as the public ones, written for these tests."""

from __future__ import annotations

import json
import lzma
import random
import re
from pathlib import Path

import pytest

from classifiers import publicsets, standoff
from classifiers.dataset import LABELS, PROMOS
from domain.errors import ConfigFault, ModelUnavailable


def write_set(folder: Path, name: str, *items: tuple[str, str]) -> None:
    lines = "".join(json.dumps({"text": text, "label": label}, ensure_ascii=False) + "\n" for text, label in items)
    (folder / f"{name}.jsonl.xz").write_bytes(lzma.compress(lines.encode()))


def test_no_source_alone_makes_a_promo() -> None:
    said = {label for one in publicsets.SETS.values() for label in one.meaning.values()}
    assert said <= set(LABELS) - PROMOS


def test_every_set_says_what_it_is_and_under_which_licence() -> None:
    assert all(one.what and one.licence for one in publicsets.SETS.values())
    assert {one.masks for one in publicsets.SETS.values()} <= {"", "words", "x", "pictures"}


@pytest.mark.parametrize(
    ("text", "masks", "shape"),
    [
        ("代办信用卡 DIGIT 万详询 CELLPHONE", "words", r"代办信用卡\d+万详询138\d{8}"),
        ("登录 URLabc 领 PLACE NAME 礼", "words", r"登录t\.cn/A\d{4}abc领\s*礼"),
        ("拨 PHONEPHONE 或加 CELLPHONEQQ", "words", r"拨8\d{7}8\d{7}或加138\d{8}3\d{8}"),
        ("从x月xx日起xxxxx元", "x", r"从\d月\d\d日起\d{5}元"),
        ("iphonex和taxi", "x", "iphonex和taxi"),
        ("图{IMG:1}文{IMG:12}", "pictures", "图文"),
        ("QQ和TIME杂志 DIGIT", "", "QQ和TIME杂志 DIGIT"),
    ],
)
def test_masks_are_filled_with_values_of_their_kind(text: str, masks: str, shape: str) -> None:
    assert re.fullmatch(shape, publicsets.unmasked(text, masks))
    assert publicsets.unmasked(text, masks) == publicsets.unmasked(text, masks)


def test_a_set_is_read_from_its_folder_or_from_labelled_within(tmp_path: Path) -> None:
    (tmp_path / "labelled").mkdir()
    write_set(tmp_path / "labelled", "ccf_bdci2019_finance_web", ("公告{IMG:1}", "unlabelled"))
    for folder in (tmp_path, tmp_path / "labelled"):
        assert publicsets.read(folder, "ccf_bdci2019_finance_web") == [publicsets.Item("公告", "unlabelled")]


def test_rows_are_the_negatives_that_the_source_alone_tells(tmp_path: Path) -> None:
    write_set(tmp_path, "fbs_sms", ("折扣到店", "AD:Retail"), ("放款快", "AD:Loan"), ("香港开奖", "IL:Gambling"))
    rows = publicsets.rows(tmp_path, "fbs_sms")
    assert [(row.text, row.label, row.readers, row.group) for row in rows] == [
        ("折扣到店", "other_ad", 0, "fbs_sms:1"),
        ("香港开奖", "other_ad", 0, "fbs_sms:3"),
    ]


def test_rows_that_were_read_keep_their_labels_and_lose_their_sources_masks(tmp_path: Path) -> None:
    line = {"text": "放款 DIGIT 万", "label": "illegal_finance_promo", "scheme": "loan", "source": "fbs_sms", "group": "g1", "readers": 2}
    other = line | {"text": "TIME杂志说QQ", "label": "news", "scheme": None, "source": "ccks2019_events", "group": "g2"}
    content = "".join(json.dumps(one) + "\n" for one in (line, other))
    (tmp_path / "real_train.jsonl.xz").write_bytes(lzma.compress(content.encode()))
    first, second = publicsets.rows(tmp_path, "real_train")
    assert re.fullmatch(r"放款\d+万", first.text)
    assert (first.schemes, first.readers, first.group) == (("loan",), 2, "g1")
    assert second.text == "TIME杂志说QQ"


def test_marked_rows_join_the_labels_that_are_kept_by_hash(tmp_path: Path) -> None:
    masked = "放款 DIGIT 万当天到账"
    write_set(tmp_path, "fbs_sms", ("折扣到店", "AD:Retail"), (masked, "AD:Loan"))
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "a.jsonl").write_text(
        json.dumps({"sha256": standoff.key(masked), "label": "illegal_finance_promo", "scheme": "loan"}), "utf-8"
    )
    (row,) = publicsets.marked(tmp_path, "fbs_sms", labels=labels)
    assert (row.label, row.schemes, row.source) == ("illegal_finance_promo", ("loan",), "fbs_sms")
    assert re.fullmatch(r"放款\d+万当天到账", row.text)


def test_a_faulty_set_is_named_with_all_its_lines(tmp_path: Path) -> None:
    (tmp_path / "tnews_dev.jsonl.xz").write_bytes(lzma.compress(b'{"text": "a"}\nx\n\n{"label": "b"}\n{"text": 3}\n'))
    with pytest.raises(ConfigFault) as caught:
        publicsets.read(tmp_path, "tnews_dev")
    assert [fault.line for fault in caught.value.faults] == [2, 4, 5]


def test_a_missing_or_broken_set_is_a_fault_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault, match=r"tnews_dev\.jsonl\.xz"):
        publicsets.read(tmp_path, "tnews_dev")
    (tmp_path / "tnews_dev.jsonl.xz").write_bytes(lzma.compress(b'{"text": "a"}\n' * 50)[:-20])
    with pytest.raises(ConfigFault, match="breaks off"):
        publicsets.read(tmp_path, "tnews_dev")


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """The sets that published figures are of, in small: two kinds of text that an n-gram tells apart."""
    draw = random.Random(3)

    def text(kind: str) -> str:
        return kind + "".join(chr(draw.randrange(0x4E00, 0x9000)) for _ in range(12))

    for name, labels in (
        ("tg_spam_train", ("spam", "ham")),
        ("tg_spam_eval", ("spam", "ham")),
        ("thucnews_train_33k", ("sports", "realty")),
        ("thucnews_test", ("sports", "realty")),
        ("fbs_sms", ("AD:Loan", "AD:Retail", "FR:Other", "IL:Gambling", "Other")),
    ):
        drawn = draw.sample(labels * 20, len(labels) * 20)
        write_set(tmp_path, name, *((text(label[:2] + label[:2]), label) for label in drawn))
    return tmp_path


def test_figures_stand_beside_those_that_are_published(sets: Path) -> None:
    pytest.importorskip("sklearn")
    from classifiers.training import published

    lines = published.measure(sets)
    ours = [line for line in lines if line.who == "linear, here"]
    assert {line.set for line in ours} == {"tg_spam", "thucnews", "fbs_sms"}
    assert all(line.value == 1.0 for line in ours if line.tested)
    assert {(line.set, line.value) for line in lines if "published" in line.who} == {
        ("tg_spam", 0.9122),
        ("thucnews", 0.9122),
        ("thucnews", 0.9223),
        ("thucnews", 0.9483),
        ("fbs_sms", 0.9765),
    }
    assert all(line.note for line in lines)


def test_test_rows_near_a_training_row_are_told_apart(sets: Path) -> None:
    pytest.importorskip("sklearn")
    from classifiers.training import published

    train = [publicsets.Item("【年终回馈】存满10万送电视一台，详询王经理，名额有限", "spam"), publicsets.Item("今天停水", "ham")]
    write_set(sets, "tg_spam_train", *((one.text, one.label) for one in train))
    write_set(sets, "tg_spam_eval", (train[0].text.replace("10", "30"), "spam"), ("球赛几点开始", "ham"))
    whole, rest, _ = published._chat(sets)
    assert (whole.tested, rest.tested) == (2, 1)


def test_figures_without_the_train_extra_say_how_to_add_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sys

    from classifiers.training import published

    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ModelUnavailable, match=r"sklearn: is not installed.*wangxun\[train\]"):
        published.measure(tmp_path)


def test_the_command_shows_the_figures_and_refuses_a_file_beside(sets: Path) -> None:
    pytest.importorskip("sklearn")
    from click.testing import CliRunner

    from patrol.cli import main

    shown = CliRunner().invoke(main, ["evaluate", "--public", str(sets)])
    assert shown.exit_code == 0
    assert max(map(len, shown.output.splitlines())) <= 100
    assert "LSTM, published" in shown.output
    found = CliRunner().invoke(main, ["evaluate", "--public", str(sets), "--json"])
    assert {line["set"] for line in json.loads(found.stdout)["figures"]} == {"tg_spam", "thucnews", "fbs_sms"}
    refused = CliRunner().invoke(main, ["evaluate", "--public", str(sets), "--judge", "keyword"])
    assert refused.exit_code == 2
