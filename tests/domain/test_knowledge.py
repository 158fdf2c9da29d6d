from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from domain.errors import ConfigFault
from domain.knowledge import check, read


class Terms(BaseModel):
    model_config = ConfigDict(extra="forbid")
    terms: list[str]
    within: int = 3


class Card(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    status: Literal["draft", "live"]
    match: Terms


def _file(folder: Path, text: str | bytes) -> Path:
    path = folder / "card.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def test_read_gives_the_data_and_the_line_of_every_value(tmp_path: Path) -> None:
    page, faults = read(_file(tmp_path, "id: a\nmatch:\n  terms:\n    - 保本\n    - 保息\n"))
    assert page is not None
    assert not faults
    assert page.data == {"id": "a", "match": {"terms": ["保本", "保息"]}}
    assert [page.line(("match", "terms", index)) for index in (0, 1)] == [4, 5]
    assert page.line(("match", "within")) == 2
    assert page.line(("nothing",)) == 1


def test_check_names_all_faults_at_once_with_path_and_line(tmp_path: Path) -> None:
    path = _file(tmp_path, "status: alive\nmatch:\n  terms: 保本\n  within: three\n  wihtin: 3\n")
    page, faults = read(path)
    assert page is not None
    card, more = check(page, Card)
    assert card is None
    assert not faults
    assert [(fault.line, fault.found.split(":")[0]) for fault in sorted(more)] == [
        (1, "id"), (1, "status"), (3, "match.terms"), (4, "match.within"), (5, "match.wihtin"),
    ]
    text = str(ConfigFault(more))
    assert f"{path}:5: match.wihtin: Extra inputs are not permitted; remove it, or check its spelling" in text
    assert f"{path}:1: status: Input should be 'draft' or 'live'; use one of the listed values" in text


def test_check_gives_the_value_where_all_is_well(tmp_path: Path) -> None:
    page, _ = read(_file(tmp_path, "cards:\n  - id: a\n    status: live\n    match: {terms: [保本]}\n"))
    assert page is not None
    card, faults = check(page, Card, under=("cards", 0))
    assert card == Card(id="a", status="live", match=Terms(terms=["保本"]))
    assert not faults


def test_check_counts_lines_from_the_top_of_the_file(tmp_path: Path) -> None:
    page, _ = read(_file(tmp_path, "cards:\n  - id: a\n    status: gone\n    match: {terms: []}\n"))
    assert page is not None
    assert [fault.line for fault in check(page, Card, under=("cards", 0))[1]] == [3]


def test_read_names_a_key_that_stands_twice(tmp_path: Path) -> None:
    page, faults = read(_file(tmp_path, "id: a\nmatch:\n  within: 1\n  within: 2\nid: b\n"))
    assert page is not None
    assert [(fault.line, fault.found) for fault in faults] == [(4, "the key within stands twice"), (5, "the key id stands twice")]


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        (b"id: a\nname: \xb1\xa3\xb1\xbe\n", 2, "not UTF-8"),
        ("id: a\nmatch: [1, 2\nstatus: live\n", 3, "not YAML"),
        ("id: a\n\tstatus: live\n", 2, "not YAML"),
        ("id: 'a\n", 2, "not YAML"),
        ("id: \x07\n", 1, "not YAML"),
        ("on: 2026-13-45\n", 1, "not YAML"),
        ("{" * 5000, 1, "not YAML"),
        ("id: !!python/object/apply:os.system [true]\n", 1, "not YAML"),
    ],
)
def test_read_says_where_a_broken_file_breaks(text: str | bytes, line: int, found: str, tmp_path: Path) -> None:
    path = _file(tmp_path, text)
    page, faults = read(path)
    assert page is None
    assert [(fault.path, fault.line) for fault in faults] == [(str(path), line)]
    assert found in faults[0].found
    assert faults[0].remedy


def test_read_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    page, faults = read(tmp_path / "none.yml")
    assert page is None
    assert "No such file" in faults[0].found


@settings(deadline=None)  # files are written: a busy disk is no fault
@given(text=st.text(max_size=80))
def test_read_never_raises_whatever_the_file_holds(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    page, faults = read(_file(tmp_path_factory.mktemp("k"), text.encode("utf-8", "surrogatepass")))
    assert page is not None or faults
    if page is not None and not isinstance(page.data, dict):
        assert check(page, Card)[1]
