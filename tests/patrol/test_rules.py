"""`wangxun rules`: from the skeleton of a rule to the release of what its cap held back."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from domain.clock import utc_now
from domain.model import Assessment, Level, Match
from domain.settings import Settings
from patrol.cells import Cells
from patrol.cli import main
from patrol.explain import explain
from patrol.explained import show
from rules.loader import PACKAGED, load
from store import hits, tables
from store.engine import Store
from tests.pipelines.conftest import House, staffed

RULE, SIGN, EXCUSE = "illegal_fundraising.promised", "signs.messenger", "excuses.warned"
FILE = """id: {id}
title: {title}
status: live
severity: high
{more}match:
  all:
    - {clause}
examples:
  hit:
    - text: {hits[0]}
    - text: {hits[1]}
  miss:
    - text: 今天天气好
      why: 无关
    - text: 晚饭吃面条
      why: 无关
"""
FILES = {
    RULE: (
        "承诺保本付息",
        "basis: [ggf.25]\nscheme: wealth_mgmt\nweight: 5\n",
        "terms: [保本付息, 还本付息]",
        ("到期还本付息", "承诺保本付息"),
    ),
    SIGN: ("留微信", "weight: 1.5\n", "contact: [wechat, qq]", ("加微信 abc12345", "加 QQ 12345678")),
    EXCUSE: ("警示用语", "weight: -2\n", "terms: [谨防]", ("谨防上当", "谨防骗局")),
}
EVADED = "承诺保·本付息，月息3分，随存随取，加薇❤信 abc12345 或电话13800138000"
Call = Callable[..., Result]


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A small pack of its own: these tests do not lean on what the packaged rules say today."""
    folder = tmp_path / "pack"
    shutil.copytree(PACKAGED / "lexicon", folder / "lexicon")
    for name in ("schemes.yml", "statutes.yml", "authorities.yml", "policy.yml"):
        shutil.copy(PACKAGED / name, folder / name)
    for rule, (title, more, clause, hits_of) in FILES.items():
        path = folder / (rule.replace(".", "/") + ".yml")
        path.parent.mkdir()
        path.write_text(FILE.format(id=rule, title=title, more=more, clause=clause, hits=hits_of), encoding="utf-8")
    return folder


@pytest.fixture
def call(settings: Settings, pack: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """call("list", "--json") runs `wangxun rules list --json` over a pack of its own."""
    for name, value in settings.model_copy(update={"rules_dir": pack}).environment().items():
        monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(main, ["rules", *words])


def _swap(pack: Path, old: str, new: str, *, rule: str = RULE) -> None:
    path = pack / (rule.replace(".", "/") + ".yml")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def _rows(result: Result) -> dict[str, dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return {row["id"]: row for row in json.loads(result.stdout)["rules"]}


def test_new_writes_a_draft_that_has_no_fault_and_passes_its_examples(call: Call, pack: Path) -> None:
    assert call("new", "tea_garden", "--family", "illegal_fundraising").exit_code == 0
    assert "status: draft" in (pack / "illegal_fundraising" / "tea_garden.yml").read_text(encoding="utf-8")
    assert call("check").exit_code == 0
    assert "1 条规则的 4 个例子全部相符" in call("test", "tea_garden").output
    assert _rows(call("list", "--status", "draft", "--json")).keys() == {"illegal_fundraising.tea_garden"}


@pytest.mark.parametrize("name", ["promised", "Gold", "../x", "中文"])
def test_new_overwrites_nothing_and_takes_only_names(call: Call, pack: Path, name: str) -> None:
    before = load(pack).digest
    assert call("new", name, "--family", "illegal_fundraising").exit_code != 0
    assert load(pack).digest == before


def test_check_names_every_fault_and_ends_with_1(call: Call, pack: Path) -> None:
    _swap(pack, "status: live", "status: alive")
    _swap(pack, "severity: high", "severity: lowest", rule=SIGN)
    result = call("check", "--json")
    assert result.exit_code == 1
    assert [fault.split(":")[1] for fault in json.loads(result.output)["faults"]] == ["3", "4"]


def test_a_wrong_example_is_a_fault_of_the_test_alone(call: Call, pack: Path) -> None:
    _swap(pack, "hit:\n", "hit:\n    - text: 今天下雨\n")
    assert call("check").exit_code == 0
    result = call("test", "--json")
    assert result.exit_code == 1
    assert [one.split(":")[0] for one in json.loads(result.stdout)["wrong"]] == [RULE]


def test_list_without_a_database_shows_the_rules_and_makes_none(call: Call, settings: Settings) -> None:
    row = _rows(call("list", "--json"))[RULE]
    assert (row["status"], row["scheme_name"], row["matched"], row["precision"]) == ("live", "保本高息理财", None, None)
    assert (row["weight"], row["daily_cap"]) == (5.0, load().policy.daily_cap)
    assert not (settings.dir / "wangxun.db").exists()


def test_list_shows_what_a_rule_did(call: Call, store: Store) -> None:
    house = House(store, utc_now())
    house.kept(text="一")
    house.kept(text="二")
    match = Match(rule=RULE, start=0, end=1, weight=1.0)
    hits.record(store, [(1, Assessment(level=Level.ALERT, score=0.9, matches=(match,)))], now=house.now)
    hits.record(store, [(2, Assessment(level=Level.CLEAR, score=0.1, matches=(match,)))], now=house.now)
    row = _rows(call("list", "--json", "--sort", "matched"))[RULE]
    assert [row[name] for name in ("matched_today", "matched", "hits", "confirmed", "dismissed")] == [2, 2, 1, 0, 0]
    assert call("list", "--sort", "matched").output.splitlines()[1].split()[:2] == ["启用", FILES[RULE][0]]


def test_list_is_filtered_by_scheme_in_either_language(call: Call) -> None:
    for scheme in ("wealth_mgmt", "高息理财"):
        assert _rows(call("list", "--scheme", scheme, "--json")).keys() == {RULE}


def test_show_reads_a_rule_aloud_and_takes_the_short_name(call: Call) -> None:
    told = call("show", "promised").output
    assert "《广告法》第25条" in told and "应当放过" in told
    assert call("show", "no_such_rule").exit_code != 0


def test_explain_marks_the_evaded_text_and_hides_contacts(call: Call) -> None:
    result = call("explain", EVADED)
    assert "保本付息" in result.output and "36.0%" in result.output
    assert "abc12345" not in result.output and "13800138000" not in result.output


def test_explain_json_hides_contacts_in_every_field(call: Call) -> None:
    result = call("explain", EVADED, "--json")
    seen = json.loads(result.output)
    assert "abc12345" not in result.output and "13800138000" not in result.output
    assert len(seen["text"]) == len(EVADED)
    assert seen["deep"][0]["text"] in seen["folded"]
    total = seen["start"] + sum(row["weight"] for row in seen["rules"])
    assert 1 / (1 + 2.718281828**-total) == pytest.approx(seen["score"], abs=0.001)


def test_explain_reads_a_file_or_standard_input_but_not_both(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("保本保息，年化收益18%", encoding="utf-8")
    assert call("explain", "--file", str(tmp_path / "a.txt"), "--json").exit_code == 0
    assert call("explain", "x", "--file", str(tmp_path / "a.txt")).exit_code != 0
    assert call("explain").exit_code != 0


@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "😀" * 400, "保本保息 " * 3000, "a\ud83d", "第一行\n\n第二行保本保息年化18%\r\n加v: abcd1234"]
)
def test_explain_draws_any_text_within_the_terminal(text: str) -> None:
    ruleset, out = load(), io.StringIO()
    show(explain(text, ruleset=ruleset), ruleset=ruleset, console=Console(file=out, width=80))
    assert max(cell_len(line) for line in out.getvalue().splitlines()) <= 80


def test_explain_shows_a_rule_on_trial(call: Call, pack: Path) -> None:
    _swap(pack, "status: live", "status: background")
    seen = json.loads(call("explain", "只说还本付息", "--json").output)
    assert [(row["rule"], row["status"], row["weight"]) for row in seen["rules"] if row["rule"] == RULE] == [(RULE, "background", 0.0)]


def _data(path: Path, *rows: dict[str, Any] | str) -> str:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return str(path)


def test_diff_tells_which_texts_change_and_by_which_rule(call: Call, pack: Path, tmp_path: Path) -> None:
    old = shutil.copytree(pack, tmp_path / "old")
    _swap(pack, "status: live", "status: retired")
    rows = [{"text": "到期还本付息，名额不多", "label": "fundraising_promo"}, {"text": "今天天气好", "label": "other"}]
    found = json.loads(call("diff", str(old), str(pack), "--data", _data(tmp_path / "d.jsonl", *rows), "--json").stdout)
    assert (found["texts"], found["labelled"], found["changed"]) == (2, 2, 1)
    assert found["transitions"] == {"alert>clear": 1, "clear>clear": 1}
    assert (found["changes"][0]["lost"], found["changes"][0]["gained"]) == ({RULE: 5.0}, {})
    assert found["rules"] == {RULE: [1, 0]}
    assert (found["quality"]["old"]["recall_review"], found["quality"]["new"]["recall_review"]) == (1.0, 0.0)


def test_diff_of_a_pack_with_itself_changes_nothing(call: Call, pack: Path, tmp_path: Path) -> None:
    result = call("diff", str(pack), str(pack), "--data", _data(tmp_path / "d.txt", EVADED, "", "今天天气好"))
    assert result.exit_code == 0
    assert "2 条文本，等级有变 0 条" in result.output


def test_diff_reads_a_revision_of_the_packs_own_git(call: Call, pack: Path, tmp_path: Path) -> None:
    git = ["git", "-C", str(pack), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    committed = load(pack).digest
    _swap(pack, "status: live", "status: background")
    result = call("diff", "HEAD", "packaged", "--data", _data(tmp_path / "d.txt", EVADED), "--json")
    assert (json.loads(result.stdout)["old"], json.loads(result.stdout)["new"]) == (committed, load().digest)


def test_diff_names_what_it_cannot_find(call: Call, tmp_path: Path) -> None:
    result = call("diff", "no-such-thing", "packaged", "--data", _data(tmp_path / "d.txt", "x"))
    assert "neither a folder nor a git revision" in str(result.exception)


def test_diff_names_every_broken_line(call: Call, tmp_path: Path) -> None:
    path = _data(tmp_path / "d.jsonl", {"text": "x"}, "{broken", {"label": "other"}, {"text": 3})
    assert [fault.line for fault in getattr(call("diff", "packaged", "packaged", "--data", path).exception, "faults", ())] == [2, 3, 4]


def test_release_asks_for_an_officer_who_may(call: Call, store: Store) -> None:
    staffed(store)
    assert "0 条已放行" in call("release", RULE, "--officer", "wang").output
    assert call("release", RULE, "--officer", "nobody").exit_code == 1
    with store.read() as connection:
        assert connection.execute(tables.rule_days.select()).one().lifted


def test_chinese_text_breaks_at_the_line_and_no_line_begins_with_a_stop() -> None:
    out = io.StringIO()
    Console(file=out, width=10).print(Cells(Text("一二三四五，六七八九十。")))
    assert out.getvalue().splitlines() == ["一二三四", "五，六七八", "九十。"]
