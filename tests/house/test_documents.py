from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import SecretStr

from domain.settings import Settings
from domain.states import CHINESE, MACHINES
from tests.house import ROOT, parsed, sources

PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "rules").glob("*.md"), *(ROOT / "crawlers").rglob("*.md")])
UNITS = {"_s": "seconds", "_mb": "MB", "_days": "days", "_hours": "hours", "_min": "minutes"}
UNITS |= {"_port": "port", "_dir": "folder", "_path": "file"}
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def _paper(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def setting_row(name: str) -> str:
    """How docs/operating.md shows one setting: name, default, unit, meaning."""
    field = Settings.model_fields[name]
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    default = "empty" if value in ("", None) else f"`{str(value).lower() if isinstance(value, bool) else value}`"
    kinds = {"bool": "yes or no", "int": "count", "SecretStr": "secret", "Path": "folder"}
    unit = next((word for end, word in UNITS.items() if name.endswith(end)), kinds.get(getattr(field.annotation, "__name__", ""), "text"))
    return f"| `WANGXUN_{name.upper()}` | {default} | {unit} | {field.description} |"


def state_row(machine: str, state: str) -> str:
    """How docs/words.md shows one state: name, Chinese name, what leads on."""
    moves = ", ".join(f"`{event}` → `{after}`" for event, after in MACHINES[machine][state].items()) or "final"
    return f"| `{state}` | {CHINESE[machine][state]} | {moves} |"


def _commands(command: click.Command, words: tuple[str, ...]) -> Iterator[str]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None, f"{' '.join(words)} {name}: cannot be loaded"
            yield from _commands(inner, (*words, name))
    else:
        yield " ".join(words)


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_setting_is_documented_with_default_and_unit(name: str) -> None:
    assert setting_row(name) in _paper("docs/operating.md"), f"docs/operating.md, Settings needs:\n{setting_row(name)}"


def test_no_setting_is_documented_that_is_gone() -> None:
    named = set(re.findall(r"^\| `WANGXUN_([A-Z_]+)` \|", _paper("docs/operating.md"), re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize(("machine", "state"), [(machine, state) for machine, table in MACHINES.items() for state in table])
def test_state_and_its_events_are_in_the_words(machine: str, state: str) -> None:
    part = _paper("docs/words.md").split(f"### {machine.capitalize()}", 1)[1].split("\n### ", 1)[0]
    assert state_row(machine, state) in part, f"docs/words.md, {machine.capitalize()} needs:\n{state_row(machine, state)}"


@pytest.mark.parametrize("name", [node.name for node in parsed(ROOT / "domain" / "model.py").body if isinstance(node, ast.ClassDef)])
def test_every_type_of_the_domain_is_in_the_words(name: str) -> None:
    assert f"| {name} |" in _paper("docs/words.md")


def test_every_command_is_documented() -> None:
    from patrol.cli import main

    paper = _paper("docs/operating.md")
    missing = [name for name in _commands(main, ("wangxun",)) if not re.search(rf"`{name}[ `\[]", paper)]
    assert not missing, "docs/operating.md, Commands needs: " + ", ".join(missing)


def _alarm_kinds() -> set[str]:
    kinds = set()
    for path in sources("crawlers", "store", "classifiers", "pipelines", "console", "patrol"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("raise_alarm"):
                kinds |= {word.value.value for word in node.keywords if word.arg == "kind" and isinstance(word.value, ast.Constant)}
    return kinds


def test_every_alarm_is_documented_with_what_to_do() -> None:
    from patrol.health import REMEDIES
    from patrol.jobs import ALARM_OF

    kinds = _alarm_kinds() | set(REMEDIES) | {kind for kind, _text in ALARM_OF.values()}
    paper = _paper("docs/operating.md").split("## Alarms", 1)[1]
    assert len(kinds) > 5
    assert not [kind for kind in sorted(kinds) if f"| `{kind}` |" not in paper]


def _anchors(text: str) -> set[str]:
    """GitHub's anchors of a paper's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(paper: Path) -> None:
    broken = []
    for target in LINK.findall(re.sub(r"```.*?```", "", paper.read_text(encoding="utf-8"), flags=re.DOTALL)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (paper.parent / name).resolve() if name else paper
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in _anchors(there.read_text(encoding="utf-8"))):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_papers_name_only_files_that_are_there(paper: Path) -> None:
    """`crawlers/guard.py` in a paper is a promise. Names with capitals, stars or braces stand for any."""
    rooms = "domain|rules|store|crawlers|classifiers|pipelines|console|patrol|tests|docs"
    named = re.findall(rf"`((?:{rooms})/[a-z0-9_/.\-]+)`", paper.read_text(encoding="utf-8"))
    assert not [name for name in named if not (ROOT / name).exists()]


def test_the_licence_is_apache_2_in_full() -> None:
    text = _paper("LICENSE")
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


@pytest.mark.parametrize(
    ("paper", "parts"),
    [
        ("README.md", ["Two commands", "What it does", "What it never does", "The house in one screen", "Find your way"]),
        ("README.zh-CN.md", ["两条命令", "它做什么", "它从不做什么", "一屏看懂", "去哪里找"]),
        ("CHANGELOG.md", ["[Unreleased]", "Rules"]),
        ("SECURITY.md", ["Reporting"]),
        ("CONTRIBUTING.md", ["Set up", "Style", "Add a platform", "Add a rule"]),
    ],
)
def test_paper_has_its_parts(paper: str, parts: list[str]) -> None:
    headings = "\n".join(re.findall(r"^#+ .+$", _paper(paper), re.MULTILINE))
    assert not [part for part in parts if part not in headings]


@pytest.mark.parametrize("paper", ["README.md", "README.zh-CN.md"])
def test_the_front_page_shows_the_product_and_hides_no_gap(paper: str) -> None:
    text = _paper(paper)
    assert all(f"docs/pictures/{name}.png" in text for name in ("queue", "hit", "board"))
    assert "make demo" in text
    assert "make test" in text
    assert "-->?" not in text, f"{paper}: a figure waits to be measured and written"


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda path: path.name)
def test_decision_says_why_what_and_what_follows(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.match(r"\d{4}-[a-z0-9-]+\.md$", path.name)
    assert [part for part in ("## Context", "## Decision", "## Consequences") if part not in text] == []


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
