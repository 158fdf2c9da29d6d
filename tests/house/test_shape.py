from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house import ROOT, parsed, shown, sources

FILE_LINES, FUNCTION_LINES = 320, 45
"""About 300 and 40, as CONTRIBUTING.md asks, with room for a last line that belongs there."""
NO_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "base_utils", "tools"}
CODE = list(sources())
TESTS = sorted((ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("path", CODE, ids=shown)
def test_file_is_of_readable_length(path: Path) -> None:
    count = len(path.read_text(encoding="utf-8").splitlines())
    assert count <= FILE_LINES, f"{shown(path)}: {count} lines; move a part that stands on its own into a file of its own"


@pytest.mark.parametrize("path", [path for path in CODE if "versions" not in path.parts], ids=shown)
def test_functions_are_of_readable_length(path: Path) -> None:
    functions = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    counts = [(node.lineno, node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in functions]
    long = [f"{shown(path)}:{line}: {name} has {count} lines; cut it at a breath" for line, name, count in counts if count > FUNCTION_LINES]
    assert not long, "\n".join(long)


@pytest.mark.parametrize("path", CODE, ids=shown)
def test_module_is_named_for_what_it_holds(path: Path) -> None:
    assert path.stem not in NO_NAMES
    assert path.parent.name not in NO_NAMES


@pytest.mark.parametrize("path", [*CODE, *TESTS], ids=shown)
def test_nobody_bends_the_import_path(path: Path) -> None:
    bends = [node.lineno for node in ast.walk(parsed(path)) if isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.path"]
    assert not bends, f"{shown(path)}:{bends[0]}: sys.path; install the project instead (make setup)"


def _serves(node: ast.AST) -> bool:
    """Whether the node is a request handler: a class of that kind, or a function that is given one."""
    if isinstance(node, ast.ClassDef):
        return any("Handler" in ast.unparse(base) for base in node.bases)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return any("Handler" in ast.unparse(one.annotation) for one in node.args.args if one.annotation is not None)
    return False


def _calls_of_tests(path: Path) -> set[str]:
    """Names called in a test file, those of its slow servers left out: there the slowness is what is tested."""
    tree = parsed(path)
    inside = {id(child) for server in ast.walk(tree) if _serves(server) for child in ast.walk(server)}
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call) and id(node) not in inside}


@pytest.mark.parametrize("path", TESTS, ids=shown)
def test_no_test_sleeps(path: Path) -> None:
    """A test that sleeps is slow on a fast machine and fails on a slow one: wait for the event, or pass a clock."""
    assert not _calls_of_tests(path) & {"time.sleep", "sleep", "asyncio.sleep"}


def _names(node: ast.AST) -> set[str]:
    parts = [child for child in ast.walk(node) if isinstance(child, ast.Attribute | ast.Name)]
    return {part.attr if isinstance(part, ast.Attribute) else part.id for part in parts}


@pytest.mark.parametrize("path", [path for path in TESTS if path.name.startswith("test_")], ids=shown)
def test_every_test_asserts_something(path: Path) -> None:
    """An assert, a raises, or a call of a checking function of the same file counts."""
    empty = []
    for node in parsed(path).body:
        if not (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")):
            continue
        words = _names(node)
        checks = any(isinstance(child, ast.Assert) for child in ast.walk(node)) or words & {"raises", "warns", "fail", "expect"}
        if not checks and not any(word.lstrip("_").startswith(("assert", "check", "must")) for word in words):
            empty.append(f"{shown(path)}:{node.lineno}: {node.name} asserts nothing")
    assert not empty, "\n".join(empty)
