"""Writing floors: a floor rises by itself with what is measured, and is lowered only for a reason that is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from classifiers.figures import Figures
from classifiers.fusion import Mode
from classifiers.gate import Floors, Measured, Pinned, PinnedSet, measured, place_of
from classifiers.labelled import Labelled
from domain.errors import ConfigFault, Fault

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"
"""Of the source tree; an installed Wangxun has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was measured of one judge, and with what."""

    figures: Figures
    rules: str
    weights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """A bound that gives way."""

    judge: Mode
    figure: str
    before: float
    after: float

    def __str__(self) -> str:
        return f"{self.judge} {self.figure} {self.before:.4f} -> {self.after:.4f}"


def pin(floors: Floors, name: str, *, file: Labelled, taken: Mapping[Mode, Taken], reason: str = "") -> tuple[Floors, str]:
    """The floors with `file` pinned as `name`, and what was given up in one line, empty where nothing was.

    A judge that is not in `taken` keeps its floors. Raises ConfigFault where something would be given up and `reason` is empty, ValueError
    for a name that cannot be one or a set that has another.
    """
    _fit(floors, name, file)
    place, own = place_of(file.path)
    old = floors.sets.get(name)
    changed = old is not None and old.sha256 != file.sha256
    judges: dict[Mode, Pinned] = {} if old is None or changed else dict(old.judges)
    given: list[str] = [f"another set of {len(file.rows)} rows, before {old.rows}"] if old is not None and changed else []
    for mode, one in taken.items():
        judges[mode], lowered = _risen(judges.get(mode), one, mode=mode)
        given += [str(bound) for bound in lowered]
    if given and not reason.strip():
        faults = [Fault("floors.yml", 1, f"{name}: {found}", "mend it, or give --allow-regression REASON") for found in given]
        raise ConfigFault(faults)
    line = f"Floors of `{name}` lowered ({reason.strip()}): {'; '.join(given)}." if given else ""
    kept = (*(old.lowered if old else ()), *([line] if line else []))
    new = PinnedSet(file=place, carried=own, sha256=file.sha256, rows=len(file.rows), judges=judges, lowered=kept)
    return Floors(sets=floors.sets | {name: new}), line


def _fit(floors: Floors, name: str, file: Labelled) -> None:
    """Raises ValueError where a name cannot be one, or the same set has another."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise ValueError(f"--pin {name}: is no name; use lower-case letters, digits, - and _, a letter first")
    for other, own in floors.sets.items():
        if other != name and own.sha256 == file.sha256:
            raise ValueError(f"--pin {name}: {file.path.name} is pinned as {other} already; use --pin {other}")


def _risen(old: Pinned | None, taken: Taken, *, mode: Mode) -> tuple[Pinned, list[Lowered]]:
    """The bounds after a measurement: the better of old and new where the old one is kept, the new one where it is not."""
    least: dict[str, float] = {}
    most: dict[str, float] = {}
    lowered = []
    before = {**old.least, **old.most} if old else {}
    now = measured(taken.figures)
    for figure in {**now, **before}:
        less = bool(old and figure in old.most)
        one = now.get(figure, Measured(value=float(less), step=0.0, less_is_better=less))
        bound, was = one.bound, before.get(figure)
        if was is not None and one.keeps(was) and figure in now:
            bound = min(was, bound) if one.less_is_better else max(was, bound)
        elif was is not None:
            lowered.append(Lowered(judge=mode, figure=figure, before=was, after=bound))
        if figure in now:
            (most if one.less_is_better else least)[figure] = bound
    return Pinned(rules=taken.rules, weights=taken.weights, least=least, most=most), lowered


def record(changelog: Path, line: str) -> None:
    """Adds a line at the end of the Rules section of what is unreleased. Raises ConfigFault where there is no such section."""
    text = changelog.read_text("utf-8")
    found = re.search(r"^## \[Unreleased\].*?^### Rules\n(.*?)(?=^#{2,3} |\Z)", text, re.MULTILINE | re.DOTALL)
    if not found or re.search(r"^## ", found[0].split("\n", 1)[1], re.MULTILINE):
        raise ConfigFault([Fault(str(changelog), 1, "has no Rules section under Unreleased", "add `### Rules` there")])
    end = found.start(1) + len(found[1].rstrip())
    changelog.write_text(f"{text[:end]}\n- {line}{text[end:] or chr(10)}", "utf-8")
