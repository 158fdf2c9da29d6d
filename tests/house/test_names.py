from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.house import ROOMS, ROOT

FOREIGN_NAMES = {name.split("/")[0] for one in distributions() if one.name.lower() != "wangxun" for name in map(str, one.files or ())}
"""First path parts of every file that other distributions installed here."""


@pytest.mark.parametrize("room", ROOMS)
def test_room_is_imported_from_this_distribution(room: str) -> None:
    """The names are generic (`rules` exists on PyPI), so another distribution could stand in front."""
    spec = importlib.util.find_spec(room)
    assert spec is not None
    assert spec.origin == str(ROOT / room / "__init__.py")
    assert list(spec.submodule_search_locations or ()) == [str(ROOT / room)]


@pytest.mark.parametrize("room", ROOMS)
def test_no_other_distribution_brings_a_package_of_that_name(room: str) -> None:
    assert not {room, f"{room}.py"} & FOREIGN_NAMES


def test_a_child_process_meets_the_same_rooms(tmp_path: Path) -> None:
    """Sweeps are started as `python -m scrapy` in the project root; elsewhere the installed names must hold as well."""
    code = "import sys, importlib; print(*[importlib.import_module(name).__file__ for name in sys.argv[1:]], sep='\\n')"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    for folder in (ROOT, tmp_path):
        done = subprocess.run([sys.executable, "-c", code, *ROOMS], cwd=folder, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.split() == [str(ROOT / room / "__init__.py") for room in ROOMS]


def test_the_wheel_holds_every_room_and_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert sorted(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == sorted(ROOMS)
    assert sorted(project["tool"]["importlinter"]["root_packages"]) == sorted(ROOMS)
    assert sorted(project["tool"]["mypy"]["packages"]) == sorted(ROOMS)
