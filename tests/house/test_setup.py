"""Setting up, where it must not succeed: what a person reads then, and that nothing half-made is left in force."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import ROOT

TOOLS = (
    *("sh", "cat", "cut", "dirname", "env", "flock", "grep", "head", "sed", "id"),
    *("mkdir", "mv", "rm", "sha256sum", "tail", "timeout", "tr"),
)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A copy of what setup.sh reads, and a folder `bin` with the plainest tools: no Python, no apt-get, no sudo."""
    shutil.copy(ROOT / "setup.sh", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "bin").mkdir()
    for name in TOOLS:
        if found := shutil.which(name):
            (tmp_path / "bin" / name).symlink_to(found)
    return tmp_path


def _set_up(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": str(folder / "bin"), "HOME": str(folder)} | environment
    return subprocess.run(["sh", str(folder / "setup.sh"), *words], env=clean, capture_output=True, text=True, timeout=120, check=False)


def _python(folder: Path, *, refuses: str) -> None:
    """A `python3` in `bin` that exits 1 where a word of its call holds `refuses`."""
    script = folder / "bin" / "python3"
    script.write_text(f'#!/bin/sh\ncase "$*" in *{refuses}*) exit 1 ;; esac\nexec {sys.executable} "$@"\n', encoding="utf-8")
    script.chmod(0o755)


def test_setup_refuses_a_kind_that_it_does_not_know(bare: Path) -> None:
    done = _set_up(bare, "everything")
    assert done.returncode == 2
    assert "give run, test or train" in done.stderr


def test_setup_without_a_fit_python_names_the_command(bare: Path) -> None:
    _python(bare, refuses="version_info")
    done = _set_up(bare)
    assert done.returncode == 1
    assert "no Python of 3.11 or newer" in done.stderr
    assert "apt-get install python3" in done.stderr
    assert not (bare / ".venv").exists()


def test_setup_without_the_venv_module_names_the_command(bare: Path) -> None:
    _python(bare, refuses="ensurepip")
    done = _set_up(bare)
    assert done.returncode == 1
    assert "has no venv module; run:" in done.stderr
    assert "apt-get install python3-venv" in done.stderr
    assert not (bare / ".venv").exists()


def test_a_set_up_that_breaks_half_way_leaves_no_venv(bare: Path) -> None:
    """`python3 -m venv` begins and dies, as on a full disk."""
    (bare / "bin" / "python3").write_text(
        f'#!/bin/sh\ncase "$*" in "-m venv"*) mkdir -p "$3/bin"; exit 1 ;; esac\nexec {sys.executable} "$@"\n', encoding="utf-8"
    )
    (bare / "bin" / "python3").chmod(0o755)
    done = _set_up(bare)
    assert done.returncode == 1
    assert "the venv could not be made; see .setup/log" in done.stderr
    assert not (bare / ".venv").exists()
    assert not (bare / ".setup" / "stamp").exists()


def test_setup_is_plain_sh_and_may_be_run() -> None:
    for name in ("setup.sh", ".ci/run"):
        assert (ROOT / name).read_text(encoding="utf-8").startswith("#!/bin/sh\n")
        assert (ROOT / name).stat().st_mode & stat.S_IXUSR
        subprocess.run(["sh", "-n", str(ROOT / name)], check=True)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(("words", "kind"), [(["setup"], "run"), (["demo"], "run"), (["test"], "test"), (["test", "TRAIN=1"], "train")])
def test_make_sets_up_what_each_command_needs(words: list[str], kind: str) -> None:
    quiet = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "TRAIN")}
    plan = subprocess.run(["make", "-n", *words], cwd=ROOT, env=quiet, capture_output=True, text=True, check=True).stdout
    assert f"sh setup.sh {kind}\n" in plan
