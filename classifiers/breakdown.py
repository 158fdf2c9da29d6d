"""Where a judge is strong and where it is blind: by label, scheme, evasion and register, at each level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from classifiers.dataset import LABELS, SCHEMES
from classifiers.figures import LEVELS, Word
from classifiers.labelled import Labelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the rows. Shares 0-1 by level, at that level or above; a share of nothing is 0."""

    rows: int
    promos: int
    found: Mapping[str, float]
    """Share of its promos."""
    false: Mapping[str, float]
    """Share of its other rows."""


def parts(file: Labelled, said: Sequence[Word]) -> dict[str, dict[str, Part]]:
    """`label`, `scheme` (of promos), `evasion` and `register`, each by name; those that no row speaks of are left out.

    A row of several schemes or evasions stands in each of them.
    """
    rows = file.rows
    schemes = [row.schemes if row.suspected else () for row in rows]
    found = {
        "label": _parted(file, said, [(row.label,) for row in rows], order=LABELS),
        "scheme": _parted(file, said, schemes, order=SCHEMES),
        "evasion": _parted(file, said, file.evasions),
        "register": _parted(file, said, [(register,) if register else () for register in file.registers]),
    }
    return {by: own for by, own in found.items() if own}


def _parted(file: Labelled, said: Sequence[Word], keys: Sequence[Iterable[str]], *, order: Sequence[str] = ()) -> dict[str, Part]:
    """Parts by key: in `order`, then, of keys that are not in it, the largest first."""
    members: dict[str, list[int]] = {}
    for number, own in enumerate(keys):
        for key in dict.fromkeys(own):
            members.setdefault(key, []).append(number)
    place = {key: number for number, key in enumerate(order)}
    ranked = sorted(members, key=lambda key: (place.get(key, len(order)), -len(members[key]), key))
    return {key: _part(file, said, members[key]) for key in ranked}


def _part(file: Labelled, said: Sequence[Word], numbers: Sequence[int]) -> Part:
    promos = [said[number] for number in numbers if file.rows[number].suspected]
    others = [said[number] for number in numbers if not file.rows[number].suspected]
    return Part(rows=len(numbers), promos=len(promos), found=_reached(promos), false=_reached(others))


def _reached(said: Sequence[Word]) -> dict[str, float]:
    return {level.value: sum(word.reaches(level) for word in said) / max(1, len(said)) for level in LEVELS}
