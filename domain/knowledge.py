"""Knowledge files (YAML) read with their line numbers, so that every fault says path:line.

Shared by the rule pack and by the platform files. All faults of all files are collected before one exception is raised.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from domain.errors import Fault

Location = tuple[str | int, ...]
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
M = TypeVar("M", bound=BaseModel)


class Page:
    """One YAML document and where each of its values stands.

    `data` is plain Python (dict, list, scalar). `line(location)` gives the 1-based line of a value, or of its nearest parent.
    """

    def __init__(self, path: Path, data: Any, lines: dict[Location, int]) -> None:
        self.path, self.data, self.lines = path, data, lines

    def line(self, location: Location) -> int:
        known: Location = ()
        for step in location:
            if (*known, step) in self.lines:
                known = (*known, step)
            elif isinstance(step, str):
                break  # an index that the file does not have is a schema's own: one value where a list may stand
        return self.lines.get(known, 1)

    def fault(self, location: Location, found: str, remedy: str) -> Fault:
        return Fault(path=str(self.path), line=self.line(location), found=found, remedy=remedy)


def read(path: Path) -> tuple[Page | None, list[Fault]]:
    """The document at `path`; None and the faults where it cannot be read, is no YAML, or names a key twice."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        return None, [Fault(str(path), line, "bytes that are not UTF-8", "save the file as UTF-8")]
    except OSError as error:
        return None, [Fault(str(path), 1, f"cannot be read ({error.strerror})", "check the name and the permissions")]
    try:
        node = yaml.compose(text, Loader=_LOADER)
        faults: list[Fault] = []
        lines: dict[Location, int] = {}
        if node is not None:
            faults += [Fault(str(path), line, found, "keep one of them") for line, found in _walk(node, (), lines)]
        data = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, the fast one where it is built
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return None, [Fault(str(path), (mark.line + 1) if mark else 1, f"not YAML: {error.problem}", "check indents, colons and quotes")]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return None, [Fault(str(path), 1, f"not YAML: {error}", "check for control characters, odd dates and deep nesting")]
    return Page(path, data, lines), faults


def _walk(node: yaml.Node, location: Location, lines: dict[Location, int]) -> Iterator[tuple[int, str]]:
    """Note every value's line; yield (line, found) for keys that stand twice."""
    lines.setdefault(location, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                yield key.start_mark.line + 1, f"the key {name} stands twice"
            seen.add(name)
            lines[(*location, name)] = key.start_mark.line + 1
            yield from _walk(value, (*location, name), lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(value, (*location, index), lines)


_REMEDIES = {
    "missing": "add it",
    "extra_forbidden": "remove it, or check its spelling",
    "literal_error": "use one of the listed values",
    "enum": "use one of the listed values",
}


def check(page: Page, schema: type[M], *, under: Location = ()) -> tuple[M | None, list[Fault]]:
    """`page.data` (or the part at `under`) as `schema`; None and all the faults where it does not fit."""
    data = page.data
    for step in under:
        data = data[step]
    try:
        return schema.model_validate(data), []
    except ValidationError as error:
        faults = []
        for item in error.errors(include_url=False):
            location = tuple(step for step in item["loc"] if not (isinstance(step, str) and step.startswith("function-")))
            name = ".".join(str(step) for step in location) or "the document"
            remedy = _REMEDIES.get(item["type"]) or str(item.get("ctx", {}).get("expected") or "see the schema in the documents")
            found = item["msg"].removeprefix("Value error, ")
            if item["type"] == "value_error" and "; " in found:
                found, remedy = found.split("; ", 1)
            faults.append(page.fault((*under, *location), f"{name}: {found}", remedy))
        return None, faults
