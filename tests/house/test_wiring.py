from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scrapy.utils.misc import load_object

from domain.states import INITIAL, MACHINES
from store import moves
from tests.house import ROOT, parsed, shown, sources

DOTTED = re.compile(r"^(crawlers|pipelines|patrol|store|scrapy|scrapy_playwright|twisted)(\.\w+)+$")
WRITERS = ("values", "set_", "on_conflict_do_update")
STATE_SQL = re.compile(r"\bset\s+state\b|\bstate\s*=\s*excluded\b", re.IGNORECASE)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(key)
            yield from _strings(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _strings(inner)


def test_every_dotted_path_of_scrapys_settings_loads() -> None:
    """The import linter cannot see strings; a wrong one would only show in a sweep at night."""
    settings = importlib.import_module("crawlers.settings")
    paths = {text for name in dir(settings) if name.isupper() for text in _strings(getattr(settings, name)) if DOTTED.match(text)}
    assert "pipelines.intake.IntakePipeline" in paths
    faults = []
    for path in sorted(paths):
        try:
            importlib.import_module(path)
        except ImportError:
            try:
                load_object(path)
            except (ImportError, NameError, ValueError) as error:
                faults.append(f"crawlers/settings.py: {path}: {error}")
    assert not faults, "\n".join(faults)


def test_scrapy_finds_its_settings_and_both_spiders() -> None:
    from scrapy.settings import Settings
    from scrapy.spiderloader import SpiderLoader

    settings = Settings()
    settings.setmodule("crawlers.settings", priority="project")
    assert (ROOT / "scrapy.cfg").read_text(encoding="utf-8").split()[-1] == "crawlers.settings"
    assert SpiderLoader.from_settings(settings).list() == ["patrol", "probe"]


def _begins(call: ast.Call) -> bool:
    """Whether the call inserts a new row in a machine's first state: the one other way that a state comes about."""
    assert isinstance(call.func, ast.Attribute)
    given = [word.value for word in call.keywords if word.arg == "state"]
    first = all(isinstance(value, ast.Constant) and value.value in INITIAL.values() for value in given)
    return bool(given) and first and ast.unparse(call.func.value).startswith(("insert(", "sa.insert("))


def _writes_of_state(path: Path) -> Iterator[int]:
    """Lines where a statement sets a state column: `.values(state=...)`, `.values({"state": ...})`, raw SQL."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and STATE_SQL.search(node.value):
            yield node.lineno
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITERS):
            continue
        if any(word.arg == "state" for word in node.keywords) and not _begins(node):
            yield node.lineno
        for child in ast.walk(node):
            for key in child.keys if isinstance(child, ast.Dict) else ():
                if (isinstance(key, ast.Constant) and key.value == "state") or (isinstance(key, ast.Attribute) and key.attr == "state"):
                    yield node.lineno


@pytest.mark.parametrize("path", [path for path in sources() if path != Path(moves.__file__)], ids=shown)
def test_only_store_moves_writes_a_state(path: Path) -> None:
    found = [f"{shown(path)}:{line}: writes a state column; call store.moves.move" for line in _writes_of_state(path)]
    assert not found, "\n".join(found)


def test_the_watch_over_states_sees_the_one_writer() -> None:
    """Guards the guard: were `_writes_of_state` blind, the test above would pass on anything."""
    assert list(_writes_of_state(Path(moves.__file__)))


def test_every_moved_table_has_its_machine_and_its_first_state() -> None:
    assert set(moves.TABLES) == set(MACHINES) - {"rule"}
    for machine, table in moves.TABLES.items():
        assert table.c.state.default.arg == INITIAL[machine]


def test_the_command_line_is_installed_under_its_name() -> None:
    from importlib.metadata import entry_points

    (script,) = entry_points(group="console_scripts", name="wangxun")
    assert callable(script.load())


def test_every_job_runs_by_module_and_not_by_a_bare_script() -> None:
    """The bare `scrapy` script puts the project last on the path and takes a foreign `rules` first."""
    bare = re.compile(r"""\[\s*["'](scrapy|wangxun|python3?)["']""")
    found = [shown(path) for path in sources() if bare.search(path.read_text(encoding="utf-8"))]
    assert not found
