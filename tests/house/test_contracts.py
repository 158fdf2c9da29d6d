from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import ROOT, parsed, shown, sources

STAGES = frozenset(["intake", "read", "assess", "link", "review", "warn", "recheck", "refer", "dossier", "report", "dispatch"])
READS = ("open", "load", "os.getenv", "os.environ.get")


def test_every_import_contract_holds() -> None:
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = re.search(r"(\d+) kept, 0 broken", done.stdout)
    assert kept
    assert int(kept[1]) >= 7


def _from_pipelines(node: ast.AST) -> list[str]:
    """Names of the modules of `pipelines` that one statement imports."""
    if isinstance(node, ast.ImportFrom) and node.module == "pipelines":
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipelines."):
        return [(node.module or "").split(".")[1]]
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[1] for alias in node.names if alias.name.startswith("pipelines.")]
    return []


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_stages_do_not_know_each_other(stage: str) -> None:
    """They meet in the store: a stage that calls another cannot be run, retried or moved apart from it."""
    path = ROOT / "pipelines" / f"{stage}.py"
    known = {name for node in ast.walk(parsed(path)) for name in _from_pipelines(node)}
    assert not known & (STAGES - {stage})


def _calls_at_import(path: Path) -> Iterator[str]:
    for part in parsed(path).body:
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from (ast.unparse(node.func) for node in ast.walk(part) if isinstance(node, ast.Call))


@pytest.mark.parametrize("path", list(sources("domain", "store", "pipelines", "console")), ids=shown)
def test_nothing_is_read_at_import(path: Path) -> None:
    """Settings read at import would be those of whoever imports first."""
    assert not [name for name in _calls_at_import(path) if name in READS or name.endswith((".read_text", ".read_bytes"))]
