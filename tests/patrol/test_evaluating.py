"""`wangxun evaluate`: what it prints, and the exit codes of the gate."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from domain.errors import ConfigFault
from domain.settings import Settings
from patrol.cli import main
from tests.patrol.test_cli import wangxun

PROMO = {"text": "保本保息，年化收益18%，到期还本付息，名额有限，加微信abc12345咨询", "label": "fundraising_promo", "scheme": "wealth_mgmt"}
ROWS = [PROMO, PROMO | {"text": "明天下午一起去湖边走走", "register": "sms"}, {"text": "今天小区停水，请大家储水", "label": "other"}]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), "utf-8")
    return path


def _run(settings: Settings, *words: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, words)], env=settings.environment())


def _json(result: Result) -> Any:
    return json.loads(result.stdout)


def test_a_report_fits_a_hundred_columns_and_names_its_parts(settings: Settings, file: Path) -> None:
    shown = _run(settings, file, "--judge", "keyword", "--errors", "3").output
    assert max(map(len, shown.splitlines())) <= 100
    assert all(part in shown for part in ("AP", "by label", "by scheme", "by register", "worst misses: 1"))


def test_a_report_as_json_is_complete(settings: Settings, file: Path) -> None:
    found = _json(_run(settings, file, "--judge", "keyword", "--errors", "3", "--json"))["keyword"]
    assert found["all"]["at"]["watch"]["recall"] == 0.5
    assert set(found["parts"]) == {"label", "scheme", "register"}
    assert [one["text"] for one in found["mistakes"]] == ["明天下午一起去湖边走走"]


def test_without_a_model_the_report_is_named_for_the_rules(settings: Settings, file: Path, tmp_path: Path) -> None:
    bare = settings.model_copy(update={"weights_dir": tmp_path})
    result = _run(bare, file, "--json")
    assert set(_json(result)) == {"keyword"}
    assert "warning" in result.stderr


def test_pin_then_gate_passes_and_another_file_fails(settings: Settings, file: Path, tmp_path: Path) -> None:
    floors = tmp_path / "floors.yml"
    assert _run(settings, file, "--pin", "mine", "--judge", "keyword", "--floors", floors).exit_code == 0
    result = _run(settings, file, "--gate", "--floors", floors, "--json")
    assert result.exit_code == 0
    assert _json(result)["ok"] is True
    file.write_text(json.dumps(PROMO) + "\n", "utf-8")
    assert isinstance(_run(settings, file, "--gate", "--floors", floors).exception, ConfigFault)


def test_a_lost_figure_exits_1_and_is_named(settings: Settings, file: Path, tmp_path: Path) -> None:
    floors = tmp_path / "floors.yml"
    _run(settings, file, "--pin", "mine", "--judge", "keyword", "--floors", floors)
    text = floors.read_text("utf-8")
    assert "watch/recall: 0.0" in text
    floors.write_text(text.replace("watch/recall: 0.0", "watch/recall: 0.9"), "utf-8")
    result = _run(settings, file, "--gate", "--floors", floors)
    assert result.exit_code == 1
    assert "LOST" in result.output
    assert "gate: 1 figures lost" in result.output


def test_the_gate_without_a_model_is_refused(settings: Settings, file: Path, tmp_path: Path) -> None:
    floors = tmp_path / "floors.yml"
    _run(settings, file, "--pin", "mine", "--floors", floors)
    bare = settings.model_copy(update={"weights_dir": tmp_path})
    answer = wangxun("evaluate", str(file), "--gate", "--floors", str(floors), settings=bare)
    assert answer.returncode == 1
    assert "--judge keyword" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_floor_is_lowered_only_with_its_reason(settings: Settings, file: Path, tmp_path: Path) -> None:
    floors = tmp_path / "floors.yml"
    _run(settings, file, "--pin", "mine", "--judge", "keyword", "--floors", floors)
    floors.write_text(floors.read_text("utf-8").replace("watch/recall: 0.0", "watch/recall: 0.9"), "utf-8")
    again = ("--pin", "mine", "--judge", "keyword", "--floors", floors)
    assert isinstance(_run(settings, file, *again).exception, ConfigFault)
    assert "lowered (known)" in _run(settings, file, *again, "--allow-regression", "known").output


def test_comparing_rules_with_themselves_finds_no_difference(settings: Settings, file: Path) -> None:
    from rules.loader import PACKAGED

    found = _json(_run(settings, file, "--compare", "live", PACKAGED, "--judge", "keyword", "--json"))
    assert found["flips"] == []
    assert found["hint"] == "no difference at review"


def test_a_picture_is_drawn(settings: Settings, file: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert _run(settings, file, "--judge", "keyword", "--picture", tmp_path / "curve.png").exit_code == 0
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_without_matplotlib_says_what_to_install(
    settings: Settings, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = _run(settings, file, "--judge", "keyword", "--picture", tmp_path / "curve.png")
    assert "wangxun[train]" in str(result.exception)


@pytest.mark.parametrize(
    "words",
    [
        ["FILE", "--gate", "--pin", "x"],
        ["FILE", "--gate", "--picture", "x.png"],
        ["FILE", "--baselines", "--judge", "keyword"],
        ["FILE", "--allow-regression", "x"],
        ["FILE", "--floors", "x.yml"],
        ["FILE", "--compare", "live", "live"],
        ["--baselines"],
        ["--errors", "3", "--gate"],
        [],
    ],
)
def test_options_that_do_not_go_together_are_misuse(settings: Settings, file: Path, words: list[str]) -> None:
    assert _run(settings, *(file if word == "FILE" else word for word in words)).exit_code == 2
