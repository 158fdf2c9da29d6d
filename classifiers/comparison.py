"""Two rule packs, or two sets of weights, on the same rows: what a candidate gains and loses, and whether it is more than chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import Literal

from classifiers.dataset import Row
from classifiers.evaluate import judge_of, words
from classifiers.figures import Figures, Word, figures
from classifiers.fusion import Mode
from classifiers.mistakes import shown

LIVE = "live"
"""Instead of a folder: what the settings name."""
SURELY, LIKELY = 0.01, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two."""

    name: str
    rules: str
    """Digest of its rule pack."""
    weights: str
    """Version of its weights, `none` without."""
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A row that only one side judges rightly, at review or above."""

    number: int
    """From 1."""
    right: Literal["a", "b"]
    label: str
    levels: tuple[str, str]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    a: Side
    b: Side
    flips: tuple[Flip, ...]
    only_a: int
    """Groups of near-duplicates that only A judges rightly; a group counts once, for there the rows of it are no several witnesses."""
    only_b: int
    chance: float
    """How often two equal judges would differ that much or more (exact McNemar test over the groups), 0-1."""
    hint: str


def compare(rows: Sequence[Row], *, a: str, b: str, mode: Mode, rules_dir: Path | None, weights_dir: Path | None) -> Comparison:
    """Folder `a` beside folder `b`; what a folder is not (rules or weights) comes from the settings.

    Raises ValueError where a folder is neither, or the two are not of one kind.
    """
    kind = _kind_of(a, b)
    said: list[list[Word]] = []
    sides = []
    for name in (a, b):
        folder = None if name == LIVE else Path(name)
        judge = judge_of(
            mode,
            rules_dir=folder if kind == "rules" and folder else rules_dir,
            weights_dir=folder if kind == "weights" and folder else weights_dir,
        )
        said.append(words(rows, judge))
        sides.append(Side(name=name, rules=judge.ruleset.digest, weights=judge.model, figures=figures(rows, said[-1])))
    flips = flipped(rows, *said)
    only_a, only_b = _witnesses(rows, flips)
    chance = mcnemar(only_a, only_b)
    hint = _hint(only_a, only_b, chance)
    return Comparison(a=sides[0], b=sides[1], flips=tuple(flips), only_a=only_a, only_b=only_b, chance=chance, hint=hint)


def _kind_of(*names: str) -> Literal["rules", "weights"]:
    kinds: dict[str, str] = {}
    for name in names:
        if name != LIVE:
            weights, rules = (Path(name) / "manifest.json").is_file(), (Path(name) / "policy.yml").is_file()
            kinds[name] = "weights" if weights else "rules" if rules else ""
    strange = [name for name, kind in kinds.items() if not kind]
    if strange:
        raise ValueError(f"{strange[0]}: holds neither manifest.json nor policy.yml; name a weight or a rule folder")
    if len(set(kinds.values())) != 1:
        found = "one is rules, the other weights" if kinds else "both are what is live"
        raise ValueError(f"{' '.join(names)}: {found}; compare two of one kind, `live` stands for what the settings name")
    return "weights" if "weights" in kinds.values() else "rules"


def flipped(rows: Sequence[Row], a: Sequence[Word], b: Sequence[Word]) -> list[Flip]:
    """The rows of which one side is right at review and the other is not, in order."""
    found = []
    for number, (row, own, other) in enumerate(zip(rows, a, b, strict=True), 1):
        if own.level.opens_hit != other.level.opens_hit:
            right: Literal["a", "b"] = "a" if own.level.opens_hit == row.suspected else "b"
            levels = (own.level.value, other.level.value)
            found.append(Flip(number=number, right=right, label=row.label, levels=levels, text=shown(row.text)))
    return found


def _witnesses(rows: Sequence[Row], flips: Sequence[Flip]) -> tuple[int, int]:
    """(only A, only B), each group of near-duplicates once, for the side that is right in more of its rows."""
    balance: Counter[str] = Counter()
    for flip in flips:
        balance[rows[flip.number - 1].group] += 1 if flip.right == "b" else -1
    return sum(value < 0 for value in balance.values()), sum(value > 0 for value in balance.values())


def mcnemar(only_a: int, only_b: int) -> float:
    """Two-sided exact McNemar test: the chance of a split at least as uneven where both are equally good."""
    total, less = only_a + only_b, min(only_a, only_b)
    return min(1.0, 2 * sum(comb(total, k) for k in range(less + 1)) / 2**total) if total else 1.0


def _hint(only_a: int, only_b: int, chance: float) -> str:
    if only_a == only_b:
        return "no difference at review"
    better = "B" if only_b > only_a else "A"
    if chance >= LIKELY:
        return f"{better} is ahead by {abs(only_a - only_b)}, which may well be chance: no ground to prefer it at review"
    return f"{better} is better at review, {'surely' if chance < SURELY else 'likely'} not by chance"
