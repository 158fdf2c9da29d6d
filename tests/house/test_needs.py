"""What is imported is what pyproject.toml asks for: a clean machine has nothing else."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house import ROOMS, ROOT, parsed, shown, sources

OWNERS = packages_distributions()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

MAKERS = ("domain/foldtable.py",)
"""Files that make a data file of the repository, and are run by those who change it."""


def _closure(lines: Iterable[str]) -> frozenset[str]:
    """Names of the distributions that these requirements bring, their own requirements included."""
    found: set[str] = set()
    todo = [Requirement(line) for line in lines]
    while todo:
        need = todo.pop()
        name = canonicalize_name(need.name)
        if name in found or (need.marker and not need.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        try:
            more = [Requirement(line) for line in requires(need.name) or ()]
        except PackageNotFoundError:
            continue
        todo += [one for one in more if not one.marker or any(one.marker.evaluate({"extra": extra}) for extra in ("", *need.extras))]
    return frozenset(found)


@cache
def _brought(*extras: str) -> frozenset[str]:
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    return _closure(lines)


def _imported(path: Path) -> set[str]:
    """First parts of the absolute imports of a file, those of the standard library and of ours left out."""
    names = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {*ROOMS, "tests"}


def _unasked(path: Path, brought: frozenset[str]) -> list[str]:
    return sorted(name for name in _imported(path) if not brought & {canonicalize_name(one) for one in OWNERS.get(name, [name])})


@pytest.mark.parametrize("path", list(sources()), ids=shown)
def test_the_program_imports_only_what_it_asks_for(path: Path) -> None:
    """Training code asks for the train extra, the demo's database for the embedded PostgreSQL."""
    name = shown(path)
    extras = ["train"] if "train" in name or name in MAKERS else ["postgres-embedded"] if name.startswith("patrol/") else []
    assert not _unasked(path, _brought(*extras)), f"{name}: add it to pyproject.toml"


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=shown)
def test_tests_import_only_what_the_extras_bring(path: Path) -> None:
    assert not _unasked(path, _brought("test", "train")), f"{shown(path)}: add it to the test extra of pyproject.toml"
