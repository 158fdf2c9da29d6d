"""Folding: one canonical spelling for text that is written to be missed, with a true way back to the original characters.

Two depths. The light fold (`domain.lightfold`) is always done, for a whole batch at once. The deep fold (`domain.deepfold`) is tried
only where a cheap sign of evasion stands, and every change that it makes is listed in `Folded.changes`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from domain.deepfold import Change, Draft, deepen, evasive, suspects, unfolds
from domain.lightfold import FINANCIAL, HAN, light, table

__all__ = ["Batch", "Change", "Folded", "fold", "fold_all"]
_SHORT = 40
_PLAIN = re.compile(f"(?:(?![灬丶丨{''.join(FINANCIAL)}])[{HAN}a-z0-9])*")
"""Words in which the light fold can find nothing to do after the table: terms of a rule, which are folded one by one."""


@dataclass(frozen=True, slots=True)
class Folded:
    """The canonical text and where each of its characters came from.

    `origin[i]` and `ends[i]` are the half-open span, in the original, of folded character i. Both are as long as `text`.
    """

    text: str
    origin: Sequence[int]
    ends: Sequence[int]
    changes: tuple[Change, ...] = ()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original's half-open span for `text[start:end]`; an empty span stays empty."""
        size = len(self.text)
        start, end = max(0, min(start, size)), max(0, min(end, size))
        if start >= end:
            point = self.origin[start] if start < size else (self.ends[-1] if size else 0)
            return point, point
        return self.origin[start], self.ends[end - 1]

    def kinds(self, start: int, end: int) -> tuple[str, ...]:
        """Kinds of the deep folds that touch `text[start:end]`, each once."""
        return tuple(dict.fromkeys(change.kind for change in self.changes if change.start < end and start < change.end))


class Batch(Sequence[Folded]):
    """Many texts folded together. `texts` are the folded texts; the maps are made only for those that are asked for."""

    __slots__ = ("_deep", "_lights", "texts")

    def __init__(self, originals: Sequence[str]) -> None:
        lights = light(originals)
        bounds, whole = lights.starts.tolist(), lights.text
        self.texts = [whole[start : end - 1] for start, end in pairwise(bounds)]
        self._lights = lights
        self._deep: dict[int, Folded] = {}
        changed = {number for number in lights.rare.nonzero()[0].tolist() if unfolds(self.texts[number])}
        for number, (written, sounded, between) in suspects(lights).items():
            if number not in changed and evasive(self.texts[number], written=written, sounded=sounded, between=between):
                changed.add(number)
        for number in changed:
            draft = Draft(self.texts[number], lights.origin(number))
            deepen(draft)
            self.texts[number] = draft.text
            self._deep[number] = Folded(draft.text, draft.origin, draft.ends, tuple(draft.changes))

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, number: int) -> Folded:  # type: ignore[override]
        if number in self._deep:
            return self._deep[number]
        origin = self._lights.origin(number)
        ends: Sequence[int] = range(1, len(origin) + 1) if isinstance(origin, range) else Shifted(origin)
        return Folded(self.texts[number], origin, ends)


class Shifted(Sequence[int]):
    """Another sequence's numbers, each plus one: where a character ends of which only the beginning is kept."""

    __slots__ = ("_places",)

    def __init__(self, places: Sequence[int]) -> None:
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, at: int | slice) -> int | Shifted:  # type: ignore[override]
        return Shifted(self._places[at]) if isinstance(at, slice) else self._places[at] + 1


def fold_all(texts: Sequence[str]) -> Batch:
    """The canonical forms of many texts, in order, as `fold` gives them one by one. Never raises, whatever Unicode they hold."""
    return Batch(texts)


def fold(text: str) -> Folded:
    """The canonical form of any Unicode text. Never raises; folding what is folded changes nothing."""
    if len(text) <= _SHORT:
        flat = text.translate(table())
        if _PLAIN.fullmatch(flat) and not evasive(flat):
            return Folded(flat, range(len(flat)), range(1, len(flat) + 1))
    return Batch((text,))[0]
