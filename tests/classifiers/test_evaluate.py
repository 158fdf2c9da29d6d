from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from classifiers import evaluate, labelled
from classifiers.breakdown import parts
from classifiers.comparison import compare, flipped, mcnemar
from classifiers.dataset import Row
from classifiers.figures import Word, level_of
from classifiers.mistakes import shown, worst
from domain.errors import ConfigFault, ModelUnavailable
from rules.loader import PACKAGED


def _said(*scores: float) -> list[Word]:
    return [Word(score=score, level=level_of(score)) for score in scores]


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


PROMO = {"text": "保本保息，年化收益18%，到期还本付息，名额有限，加微信咨询", "label": "fundraising_promo", "scheme": "wealth_mgmt"}
OTHER = {"text": "今天下午小区停水，请大家提前储水", "label": "other"}


def test_baselines_set_all_speakers_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "rows.jsonl", PROMO, OTHER, {"text": "警方提醒：谨防保本高息骗局", "label": "education", "sure": 0})
    assert evaluate.main([str(path), "--baselines", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"published", "keyword", "linear", "neural", "whole"} <= set(found)
    assert found["whole"]["all"]["rows"] == 3
    assert found["whole"]["sure"]["rows"] == 2
    assert found["neural"]["all"]["average_precision"] == 1.0


def test_a_file_with_wrong_labels_is_one_error_and_exit_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "rows.jsonl", {"text": "x", "label": "crime"})
    assert evaluate.main([str(path)]) == 1
    assert "rows.jsonl:1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "hit"),
    [("我司承诺保本", True), ("预计年化收益率18.5％", True), ("年化收益超过 16%", True), ("年化收益4%", False), ("银行存款", False)],
)
def test_published_keywords_are_a_promise_or_a_rate_over_fifteen(text: str, hit: bool) -> None:
    assert evaluate.published([Row(text=text, label="news")])[0].level.opens_hit is hit


def test_a_judge_with_a_model_is_refused_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="--judge keyword"):
        evaluate.judge_of("both", rules_dir=None, weights_dir=tmp_path)


def test_a_labelled_file_knows_registers_evasions_and_its_hash(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.jsonl", PROMO | {"register": "sms", "evasion": ["谐音"]}, OTHER | {"evasion": "拆字"})
    packed = tmp_path / "a.jsonl.xz"
    packed.write_bytes(lzma.compress(plain.read_bytes()))
    one, other = labelled.read(plain), labelled.read(packed)
    assert one.registers == ("sms", "")
    assert one.evasions == (("谐音",), ("拆字",))
    assert one.sha256 == other.sha256


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.jsonl", b"", "no rows"),
        ("a.jsonl", b"\n\n", "no rows"),
        ("a.jsonl", '{"text": "保本", "label": "news"}'.encode("gbk"), "utf-8"),
        ("a.jsonl.xz", lzma.compress(b'{"text": "x", "label": "news"}' * 9)[:-20], "breaks off"),
        ("a.jsonl.xz", b"not packed", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_evaluated_is_named_with_the_way_out(tmp_path: Path, name: str, content: bytes, found: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ConfigFault, match=found) as caught:
        labelled.read(path)
    assert str(path) in str(caught.value)


def test_parts_are_counted_by_label_scheme_evasion_and_register(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", PROMO | {"register": "sms", "evasion": ["谐音", "谐音"]}, PROMO | {"register": "sms"}, OTHER)
    found = parts(labelled.read(path), _said(0.9, 0.2, 0.6))
    assert found["label"]["fundraising_promo"].found == {"watch": 1.0, "review": 0.5, "alert": 0.5}
    assert found["label"]["other"].false == {"watch": 1.0, "review": 1.0, "alert": 0.0}
    assert found["scheme"]["wealth_mgmt"].promos == 2
    assert found["evasion"]["谐音"].rows == 1
    assert found["register"]["sms"].found["review"] == 0.5


def test_parts_leave_out_what_no_row_speaks_of(tmp_path: Path) -> None:
    assert set(parts(labelled.read(write(tmp_path / "a.jsonl", OTHER)), _said(0.0))) == {"label"}


def test_worst_mistakes_come_misses_first_and_the_clearest_before() -> None:
    rows = [Row(text="x", label=label) for label in ("fundraising_promo", "fundraising_promo", "news", "news")]
    found = worst(rows, _said(0.3, 0.1, 0.7, 0.9), most=1)
    assert [(one.number, one.missed) for one in found] == [(2, True), (4, False)]


def test_a_shown_text_is_one_printable_line_with_masked_contacts() -> None:
    line = shown("加我\n手机13800138000\x1b[31m 领取" + "长" * 500)
    assert "13800138000" not in line
    assert line.isprintable()
    assert len(line) <= 120


def test_flips_are_rows_that_one_side_alone_judges_rightly() -> None:
    rows = [Row(text="a", label="fundraising_promo"), Row(text="b", label="news"), Row(text="c", label="news")]
    found = flipped(rows, _said(0.9, 0.9, 0.1), _said(0.1, 0.1, 0.2))
    assert [(flip.number, flip.right) for flip in found] == [(1, "a"), (2, "b")]


def test_mcnemar_is_the_exact_two_sided_chance() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(3, 3) == 1.0
    assert mcnemar(0, 5) == pytest.approx(2 / 2**5)
    assert mcnemar(1, 9) == pytest.approx(2 * (1 + 10) / 2**10)


def _stricter(folder: Path) -> Path:
    """The packaged rules with thresholds that no score reaches."""
    for path in PACKAGED.rglob("*"):
        if path.suffix in (".yml", ".txt"):
            target = folder / path.relative_to(PACKAGED)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    policy = folder / "policy.yml"
    lines = policy.read_text("utf-8").splitlines()
    changed = ["thresholds_keyword: {watch: 0.97, review: 0.98, alert: 0.99}" if "thresholds_keyword" in line else line for line in lines]
    policy.write_text("\n".join(changed) + "\n", "utf-8")
    return folder


def test_a_candidate_that_loses_is_told_so_and_near_duplicates_count_once(tmp_path: Path) -> None:
    rows = [Row(text=PROMO["text"], label="fundraising_promo", group="same")] * 8 + [Row(text=OTHER["text"], label="other", group="o")]
    rules = str(_stricter(tmp_path / "rules"))
    found = compare(rows, a="live", b=rules, mode="keyword", rules_dir=None, weights_dir=None)
    assert len(found.flips) == 8
    assert (found.only_a, found.only_b) == (1, 0)
    assert found.chance == 1.0
    assert "may well be chance" in found.hint
    assert found.a.rules != found.b.rules


@pytest.mark.parametrize(("a", "b"), [("live", "live"), ("live", "{folder}"), (str(PACKAGED), "{weights}")])
def test_what_cannot_be_compared_is_refused(tmp_path: Path, a: str, b: str) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "manifest.json").write_text("{}")
    b = b.format(folder=tmp_path, weights=tmp_path / "weights")
    with pytest.raises(ValueError, match=r"compare two of one kind|holds neither"):
        compare([Row(text="a", label="news")], a=a, b=b, mode="keyword", rules_dir=None, weights_dir=None)
