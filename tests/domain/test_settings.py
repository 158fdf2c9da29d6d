from __future__ import annotations

from pathlib import Path

import pytest

from domain.errors import SettingFault
from domain.settings import Settings, load


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"WANGXUN_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def _write(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "wangxun.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_load_gives_the_defaults_where_nothing_is_set() -> None:
    settings = load()
    assert settings.dir == Path("var")
    assert settings.database == f"sqlite:///{Path('var/wangxun.db').resolve()}"
    assert settings.archive_dir == Path("var/archive")


def test_environment_wins_over_file_and_override_over_both(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _write(tmp_path / "data", "judge_batch = 10\nclaim_min = 5\n")
    monkeypatch.setenv("WANGXUN_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WANGXUN_JUDGE_BATCH", "20")
    assert (load().judge_batch, load().claim_min) == (20, 5.0)
    assert load(judge_batch=30).judge_batch == 30


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANGXUN_JUDGE_BATCH", "")
    assert load().judge_batch == 256


def test_load_names_all_faults_at_once_with_their_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = _write(tmp_path / "data", "# office\njudge_batch = 0\n\nsmtp_prot = 25\n")
    monkeypatch.setenv("WANGXUN_SMTP_PORT", "70000")
    with pytest.raises(SettingFault) as caught:
        load(dir=tmp_path / "data")
    where = {(fault.path, fault.line, fault.found.split(":")[0]) for fault in caught.value.faults}
    assert where == {(str(path), 2, "judge_batch"), (str(path), 4, "smtp_prot"), ("environment", 1, "smtp_port")}
    assert "docs/operating.md" in str(caught.value)


@pytest.mark.parametrize("text", ["judge_batch = ", "a = 'x", "\x00"])
def test_load_refuses_a_file_that_is_no_toml(text: str, tmp_path: Path) -> None:
    path = _write(tmp_path / "data", text)
    with pytest.raises(SettingFault, match="not TOML") as caught:
        load(dir=tmp_path / "data")
    assert caught.value.faults[0].path == str(path)


def test_a_child_process_loads_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parent = load(dir=tmp_path / "data", smtp_password="geheim 密", two_person_review=True, recheck_hours=0.5, weights_dir=tmp_path / "w")
    for name, value in parent.environment().items():
        monkeypatch.setenv(name, value)
    assert load() == parent


def test_secrets_do_not_show_in_a_log_line(tmp_path: Path) -> None:
    secrets = dict.fromkeys(("smtp_password", "police_token", "webhook_token", "console_secret"), "geheim")
    assert "geheim" not in repr(load(dir=tmp_path, **secrets))


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_says_what_it_is(name: str) -> None:
    assert (Settings.model_fields[name].description or "").endswith(".")
