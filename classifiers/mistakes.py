"""The worst mistakes of a judge, to learn from: promos that it missed and rows that it took for promos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from classifiers.dataset import Row
from classifiers.figures import Word
from domain.contacts import mask

SHOWN = 120
"""Characters of a text that are shown."""
READ = 20_000
"""Characters in which contacts are looked for before the cut: a contact over the edge is masked as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A promo below review (`missed`), or another row at review or above."""

    number: int
    """Of the row, from 1, blank lines left out."""
    missed: bool
    label: str
    schemes: tuple[str, ...]
    score: float
    level: str
    sure: bool
    text: str
    """On one line, cut, contacts masked."""


def worst(rows: Sequence[Row], said: Sequence[Word], *, most: int) -> list[Mistake]:
    """At most `most` misses, the lowest score first, then as many false hits, the highest first."""
    numbers = range(len(rows))
    missed = [number for number in numbers if rows[number].suspected and not said[number].level.opens_hit]
    false = [number for number in numbers if not rows[number].suspected and said[number].level.opens_hit]
    missed.sort(key=lambda number: (said[number].score, number))
    false.sort(key=lambda number: (-said[number].score, number))
    return [_mistake(rows[number], said[number], number) for number in (*missed[:most], *false[:most])]


def _mistake(row: Row, word: Word, number: int) -> Mistake:
    return Mistake(
        number=number + 1,
        missed=row.suspected,
        label=row.label,
        schemes=row.schemes if row.suspected else word.schemes,
        score=round(word.score, 4),
        level=word.level.value,
        sure=row.sure,
        text=shown(row.text),
    )


def shown(text: str) -> str:
    """A text as a terminal may show it: one line, printable, contacts masked, cut."""
    line = "".join(sign if sign.isprintable() else " " for sign in " ".join(mask(text[:READ]).split()))
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
