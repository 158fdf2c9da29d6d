"""Exit codes, as scripts and monitors see them: 0 well, 1 faults found or a person is needed, 2 misuse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WANGXUN = Path(sys.executable).parent / "wangxun"


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("WANGXUN_")}
    environment["WANGXUN_DIR"] = str(folder / "data")
    return subprocess.run([WANGXUN, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_well_run_exits_0(tmp_path: Path) -> None:
    assert _run(tmp_path, "rules", "check").returncode == 0


def test_health_exits_1_where_a_person_is_needed(tmp_path: Path) -> None:
    done = _run(tmp_path, "health", "--json")
    assert json.loads(done.stdout)["ok"] is False
    assert done.returncode == 1


def test_faults_in_platform_files_exit_1_with_path_and_line(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "town.yml").write_text("id: town\ntitle: 小城\nkind: castle\n", encoding="utf-8")
    done = _run(tmp_path, "platforms", "check", str(tmp_path / "mine"))
    assert "town.yml:3: kind" in done.stdout + done.stderr
    assert done.returncode == 1


def test_a_wrong_setting_exits_1_in_words(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "wangxun.toml").write_text("judge_batch = 0\n", encoding="utf-8")
    done = _run(tmp_path, "db", "upgrade")
    assert done.returncode == 1
    assert "wangxun.toml:1: judge_batch" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["no-such-command"], ["hits", "decide"], ["log", "--hours", "0"]])
def test_misuse_exits_2(words: list[str], tmp_path: Path) -> None:
    assert _run(tmp_path, *words).returncode == 2
