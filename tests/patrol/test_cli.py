"""The command line's promises: exit codes, faults as messages, JSON on one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from domain.settings import Settings
from patrol.cli import COMMANDS, main
from patrol.process import ROOT


def wangxun(*words: str, settings: Settings, given: str | None = None) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WANGXUN_")}
    return subprocess.run(
        [sys.executable, "-m", "patrol.cli", *words],
        cwd=ROOT,
        env=kept | settings.environment(),
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_names_every_command(settings: Settings) -> None:
    shown = wangxun("--help", settings=settings)
    assert shown.returncode == 0
    for name in COMMANDS:
        assert f"  {name} " in shown.stdout


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_command_has_help(name: str) -> None:
    shown = CliRunner().invoke(main, [name, "--help"])
    assert shown.exit_code == 0
    assert f"{name} [OPTIONS]" in shown.output


def test_misuse_exits_2(settings: Settings) -> None:
    assert wangxun("no-such-command", settings=settings).returncode == 2
    assert wangxun("scan", "no-such-file.jsonl", settings=settings).returncode == 2
    assert wangxun("sweep", "no-such-platform", settings=settings).returncode == 2


def test_command_without_database_says_the_way_out(settings: Settings) -> None:
    answer = wangxun("hits", "list", settings=settings)
    assert answer.returncode == 1
    assert "wangxun db upgrade" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_wrong_setting_names_its_line(settings: Settings) -> None:
    (settings.dir / "wangxun.toml").write_text('office = "某市"\nappeal_days = 0\n', encoding="utf-8")
    answer = wangxun("hits", "list", settings=settings)
    assert answer.returncode == 1
    assert "wangxun.toml:2: appeal_days" in answer.stderr


def test_db_upgrade_is_idempotent_and_verify_finds_no_fault(settings: Settings) -> None:
    assert "empty" in wangxun("db", "upgrade", settings=settings).stdout
    assert "already" in wangxun("db", "upgrade", settings=settings).stdout
    assert wangxun("db", "verify", settings=settings).returncode == 0


def test_officer_is_added_and_listed_without_secret(settings: Settings) -> None:
    wangxun("db", "upgrade", settings=settings)
    words = ("officer", "add", "wang", "--shown", "王科", "--role", "reviewer", "--password", "long enough")
    assert wangxun(*words, settings=settings).returncode == 0
    rows = json.loads(wangxun("officer", "list", "--json", settings=settings).stdout)["officers"]
    assert [(row["name"], row["roles"]) for row in rows] == [("wang", ["reviewer"])]
    assert "secret" not in rows[0]


def test_health_says_that_no_daemon_runs(settings: Settings) -> None:
    wangxun("db", "upgrade", settings=settings)
    answer = wangxun("health", "--json", settings=settings)
    assert answer.returncode == 1
    assert [one["kind"] for one in json.loads(answer.stdout)["findings"]] == ["daemon"]
    assert wangxun("health", "--no-daemon", settings=settings).returncode == 0


def test_scan_answers_line_by_line_in_order(settings: Settings) -> None:
    lines = [
        json.dumps({"id": "a", "text": "保本保息，年化收益18%，满一万起投，加微信 abc12345 抢名额，到期返还本金"}, ensure_ascii=False),
        "not json",
        json.dumps({"id": "c", "text": "小区门口早餐店今天休息"}, ensure_ascii=False),
        json.dumps({"id": "d", "text": "半个字\ud83d"}),
    ]
    answer = wangxun("scan", "--judge", "keyword", settings=settings, given="\n".join(lines) + "\n")
    assert answer.returncode == 0
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [row["id"] for row in rows] == ["a", None, "c", "d"]
    assert rows[0]["level"] in ("review", "alert")
    assert "error" in rows[1]
    assert rows[2]["level"] == "clear"
    text = json.loads(lines[0])["text"]
    assert rows[0]["matches"]
    assert all(text[one["start"] : one["end"]] == one["text"] for one in rows[0]["matches"])


def test_scan_out_leaves_no_half_file(settings: Settings, tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"id": 1, "text": "今天天气好"}\n', encoding="utf-8")
    assert wangxun("scan", str(source), "--out", str(out), "--judge", "keyword", settings=settings).returncode == 0
    assert json.loads(out.read_text(encoding="utf-8"))["id"] == 1
    assert not list(tmp_path.glob("*.part"))


def test_rules_explain_shows_spans_and_articles(settings: Settings) -> None:
    seen = json.loads(wangxun("rules", "explain", "承诺保本付息，月息3分，随存随取", "--json", settings=settings).stdout)
    assert seen["matches"]
    assert any(rate["yearly"] == pytest.approx(0.36) for rate in seen["rates"])
    assert any(reason["articles"] for reason in seen["reasons"])
