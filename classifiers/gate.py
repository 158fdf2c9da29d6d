"""The gate: figures that were once measured on a pinned set are not lost unnoticed.

`floors.yml` pins each set by the sha256 of its content, and for each judge the least (or, of false hits and calibration error, the most)
that every figure may be. A floor only rises by itself; to lower one takes a reason, which is written down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from classifiers.figures import Figures
from classifiers.fusion import Mode
from classifiers.labelled import DATA, Labelled
from domain.errors import ConfigFault, Fault

FLOORS = Path(__file__).parent / "floors.yml"
PLACES = 4
"""Decimals of a floor; floors are rounded down and ceilings up, so that rounding never fails what was measured."""
GUARDED = ("education", "news", "complaint", "adlaw_defect", "legit_finance")
"""Labels whose false hits are held: a person who warns, reports, complains or trades lawfully must not be taken for a promoter."""
HEAD = """\
# Written by `wangxun evaluate FILE --pin NAME`, held by `wangxun evaluate --gate` and by the tests. Not written by hand.
# least: a floor; most: a ceiling. Each stands one row of its set away from what was measured (calibration error: two): the smallest step
# that a figure can take. One row may turn by a last decimal that another processor rounds another way; two are a loss.
"""


class Strict(BaseModel):
    """Unknown keys are faults: a misspelt floor would hold nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Pinned(Strict):
    """What one judge must keep on one set."""

    rules: str
    """Digest of the rule pack that was measured, and version of the weights (`none` without): for the reader, not held."""
    weights: str
    least: dict[str, float] = Field(default_factory=dict)
    most: dict[str, float] = Field(default_factory=dict)


class PinnedSet(Strict):
    """One pinned file."""

    file: str
    """Its name; for a set that Wangxun carries its path inside classifiers/data."""
    carried: bool
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    rows: int
    judges: dict[Mode, Pinned]
    lowered: tuple[str, ...] = ()
    """What was given up, and why, oldest first."""


class Floors(Strict):
    """All pinned sets by name."""

    sets: dict[str, PinnedSet] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One figure as it was found."""

    value: float
    step: float
    """What a single row is worth."""
    less_is_better: bool = False

    @property
    def bound(self) -> float:
        """Where it is pinned: a step away and rounded, within 0-1."""
        scale = 10.0**PLACES
        # 1e-9 undoes what binary fractions do to a value that is exact in decimals.
        if self.less_is_better:
            return min(1.0, math.ceil((self.value + self.step) * scale - 1e-9) / scale)
        return max(0.0, math.floor((self.value - self.step) * scale + 1e-9) / scale)

    def keeps(self, bound: float) -> bool:
        """Whether it is no worse than a pinned bound."""
        return self.margin(bound) >= -1e-9

    def margin(self, bound: float) -> float:
        """How far it is on the good side of a bound; negative on the bad one."""
        return bound - self.value if self.less_is_better else self.value - bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One figure held against what is pinned."""

    figure: str
    measured: float
    bound: float
    less_is_better: bool
    margin: float
    ok: bool


def measured(found: Figures) -> dict[str, Measured]:
    """What is pinned of a set's figures, by slash paths; a figure of nothing (no promo, no such label) is left out."""
    at, promos, others = found.at, found.promos, found.rows - found.promos
    named: dict[str, Measured] = {}
    if promos and others:
        named["average_precision"] = Measured(value=found.average_precision, step=1 / promos)
        for level in ("review", "alert"):
            if at[level].hits:
                named[f"{level}/precision"] = Measured(value=at[level].precision, step=1 / at[level].hits)
    if promos:
        named |= {f"{level}/recall": Measured(value=at[level].recall, step=1 / promos) for level in ("watch", "review", "alert")}
    if count := found.counts["pairs"]:
        named["pairs_right"] = Measured(value=found.pairs_right, step=1 / count)
    if count := found.counts["named"]:
        named["scheme_right"] = Measured(value=found.scheme_right, step=1 / count)
    named["calibration_error"] = Measured(value=found.calibration_error, step=2 / found.rows, less_is_better=True)
    for level in ("review", "alert"):
        for label in GUARDED:
            if count := found.counts.get(label, 0):
                value = at[level].false_hits[label]
                named[f"{level}/false_hits/{label}"] = Measured(value=value, step=1 / count, less_is_better=True)
    return named


def check(pinned: Pinned, found: Figures) -> list[Verdict]:
    """Every pinned figure beside what was measured, in the order of the file. A figure that is gone counts as its worst."""
    now = measured(found)
    verdicts = []
    for bounds, less in ((pinned.least, False), (pinned.most, True)):
        for figure, bound in bounds.items():
            one = now.get(figure, Measured(value=float(less), step=0.0, less_is_better=less))
            margin, ok = round(one.margin(bound), 6), one.keeps(bound)
            verdicts.append(Verdict(figure=figure, measured=one.value, bound=bound, less_is_better=less, margin=margin, ok=ok))
    return verdicts


def read(path: Path = FLOORS) -> Floors:
    """The pinned sets; none where there is no file yet. Raises ConfigFault for a broken one."""
    try:
        return Floors.model_validate(yaml.safe_load(path.read_text("utf-8")) or {})
    except FileNotFoundError:
        return Floors()
    except (OSError, ValueError, yaml.YAMLError) as error:
        found = [str(error)]
        if isinstance(error, ValidationError):
            found = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise ConfigFault([Fault(str(path), 1, one, "restore it from the release, or pin anew") for one in found]) from error


def write(floors: Floors, path: Path = FLOORS) -> None:
    """The file, whole or not at all. Raises ConfigFault where it cannot be written, as in an installed package of another's."""
    part = path.with_suffix(".part")
    try:
        part.write_text(HEAD + yaml.safe_dump(floors.model_dump(mode="json"), allow_unicode=True, sort_keys=False, width=140), "utf-8")
        part.replace(path)
    except OSError as error:
        raise ConfigFault([Fault(str(path), 1, f"cannot be written: {error.strerror}", "name a file of your own with --floors")]) from error


def carried(floors: Floors) -> dict[str, Path]:
    """The sets that Wangxun itself brings, by name."""
    return {name: DATA / own.file for name, own in floors.sets.items() if own.carried}


def name_of(floors: Floors, file: Labelled) -> str:
    """The name under which a file is pinned. Raises ConfigFault where its content is pinned under none."""
    for name, own in floors.sets.items():
        if own.sha256 == file.sha256:
            return name
    for name, own in floors.sets.items():
        if own.file == place_of(file.path)[0]:
            found = f"sha256 {file.sha256[:12]}, pinned as {name} is {own.sha256[:12]}: the set changed under its name"
            remedy = f"restore it, or pin it anew with --pin {name} --allow-regression REASON"
            raise ConfigFault([Fault(str(file.path), 1, found, remedy)])
    known = ", ".join(floors.sets) or "none"
    found = f"sha256 {file.sha256[:12]} is pinned under no name (pinned: {known})"
    raise ConfigFault([Fault(str(file.path), 1, found, "pin it: wangxun evaluate FILE --pin NAME")])


def place_of(path: Path) -> tuple[str, bool]:
    """How a file is called in the floors, and whether Wangxun carries it."""
    full, data = path.resolve(), DATA.resolve()
    return (full.relative_to(data).as_posix(), True) if full.is_relative_to(data) else (path.name, False)


def pinned(floors: Floors, name: str, mode: Mode | None) -> dict[Mode, Pinned]:
    """What is pinned of a set for one judge, or for all that are. Raises ConfigFault where it is not."""
    own = floors.sets[name].judges
    if mode is not None and mode not in own:
        remedy = f"pin it: wangxun evaluate FILE --pin {name} --judge {mode}"
        raise ConfigFault([Fault("floors.yml", 1, f"{name}: judge {mode} is not pinned", remedy)])
    return {mode: own[mode]} if mode is not None else dict(own)
