"""The deep fold: split characters, homophones, pinyin and slang, tried only where a cheap sign of evasion stands.

Every change says its kind, so that a reviewer sees both forms. Ordinary words survive: each spelling names the context that it needs.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import ahocorasick_rs
import numpy as np

from domain import syllables
from domain.lightfold import FINANCIAL, MULTI, TABLES, Lights, light, table
from domain.signs import Signs

MAX_DEEP = 20_000
"""Characters up to which deep folds are tried: evasion hides in posts, not in books, and time stays bounded."""
_ROUNDS = 6
"""A dropped separator can bring a spelling together, and the other way round; six rounds reach the fixed point of any real text."""
_MONEY = re.compile(r"[壹贰叁肆伍陆柒捌玖拾佰仟零]{2,}|[壹贰叁肆伍陆柒捌玖拾佰仟](?=[万亿元圆%倍个分厘块百千]|佰|仟|拾)")
_MULTI = re.compile(f"[{MULTI}]")


class Change(NamedTuple):
    """One deep fold: `kind` (split, homophone, pinyin, lookalike, slang) and the half-open span in the folded text."""

    kind: str
    start: int
    end: int


class Variant(NamedTuple):
    """One line of tables/variants.txt."""

    kind: str
    signs: tuple[str, ...]
    """One of these stands in a match or right before it: the cheap sign without which the pattern is not tried."""
    pattern: re.Pattern[str]
    canonical: str
    needs: re.Pattern[str] | None


Edit = tuple[int, int, str, str]
"""(start, end, replacement, kind); kind "" is a light fold and is not listed among the changes."""


@lru_cache(maxsize=1)
def variants() -> tuple[Variant, ...]:
    """The spellings of tables/variants.txt, in its order."""
    rows = []
    for line in (TABLES / "variants.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        kind, signs, pattern, canonical, *needs = line.split("\t")
        needed = re.compile(needs[0]) if needs and needs[0] else None
        rows.append(Variant(kind, tuple(sign.replace("_", " ") for sign in signs.split(" ")), re.compile(pattern), canonical, needed))
    return tuple(rows)


class _Known(NamedTuple):
    """All signs, two ways: the cheaper check knows less."""

    signs: Signs
    automaton: ahocorasick_rs.AhoCorasick
    places: tuple[tuple[int, ...], ...]
    """For each sign of the automaton the places, in `variants()`, of what it may begin."""


@lru_cache(maxsize=1)
def _known() -> _Known:
    places: dict[str, list[int]] = {}
    for place, variant in enumerate(variants()):
        for sign in variant.signs:
            places.setdefault(sign, []).append(place)
    ordered = sorted(places)
    return _Known(Signs(ordered), ahocorasick_rs.AhoCorasick(ordered), tuple(tuple(places[sign]) for sign in ordered))


def suspects(lights: Lights) -> dict[int, tuple[bool, bool, bool]]:
    """Texts of a batch that may hold evasion, by number, with what may be in them: spellings of the table, sounds, signs between.

    Never without a text in which one stands.
    """
    written = _known().signs.seen(lights.codes, lights.starts)[0]
    sounded, between = np.zeros_like(written), np.zeros_like(written)
    for marks, places in (
        (sounded, syllables.places(lights.codes, lights.text)),
        (between, syllables.alternating(lights.codes).tolist()),
    ):
        if places:
            marks[np.searchsorted(lights.starts, places, side="right") - 1] = True
    numbers = np.flatnonzero(written | sounded | between).tolist()
    return {number: (bool(written[number]), bool(sounded[number]), bool(between[number])) for number in numbers}


def candidates(text: str) -> list[Variant]:
    """The deep folds that apply to a lightly folded text, in the order of the table: most texts have none."""
    if len(text) > MAX_DEEP:
        return []
    known = _known()
    found = known.automaton.find_matches_as_indexes(text, overlapping=True)
    if not found:
        return []
    rows = variants()
    places = sorted({place for sign, _, _ in found for place in known.places[sign]})
    return [v for v in (rows[place] for place in places) if v.pattern.search(text) and (v.needs is None or v.needs.search(text))]


def unfolds(text: str) -> bool:
    """Whether a text holds characters that the light fold leaves: several in one, or a financial numeral among others of its kind."""
    return _MULTI.search(text) is not None or _MONEY.search(text) is not None


def evasive(text: str, *, written: bool = True, sounded: bool = True, between: bool = True) -> bool:
    """Whether a deep fold would change a lightly folded text, of the kinds that are asked about."""
    if len(text) > MAX_DEEP:
        return False
    return bool((written and candidates(text)) or (sounded and syllables.find(text)) or (between and syllables.interleaved(text)))


class Draft:
    """A text under change, with its two maps. Edits are made left to right in one rebuild."""

    __slots__ = ("changes", "ends", "origin", "text")

    def __init__(self, text: str, origin: Sequence[int]) -> None:
        self.text = text
        self.origin = origin
        self.ends: Sequence[int] = range(1, len(text) + 1) if isinstance(origin, range) else array("q", (place + 1 for place in origin))
        self.changes: list[Change] = []

    def apply(self, edits: Sequence[Edit]) -> None:
        """Edits in order and apart."""
        if not edits:
            return
        parts: list[str] = []
        origin, ends = array("q"), array("q")
        moved: list[Change] = []
        at = size = 0
        shifts: list[tuple[int, int]] = [(0, 0)]
        for start, end, replacement, kind in edits:
            parts += (self.text[at:start], replacement)
            origin.extend(self.origin[at:start])
            ends.extend(self.ends[at:start])
            size += start - at
            if replacement:
                first, last = self.origin[start], self.ends[end - 1]
                origin.extend([first] * len(replacement))
                ends.extend([last] * len(replacement))
                if kind:
                    moved.append(Change(kind, size, size + len(replacement)))
            size += len(replacement)
            at = end
            shifts.append((end, size - end))
        parts.append(self.text[at:])
        origin.extend(self.origin[at:])
        ends.extend(self.ends[at:])
        self.text, self.origin, self.ends = "".join(parts), origin, ends
        for change in self.changes:
            shift = next(value for place, value in reversed(shifts) if place <= change.start)
            moved.append(Change(change.kind, max(0, change.start + shift), max(0, change.end + shift)))
        self.changes = sorted(moved, key=lambda change: (change.start, change.end))


def deepen(draft: Draft) -> None:
    """Everything that the light fold of a batch leaves, until nothing changes any more."""
    for _ in range(_ROUNDS):
        before = draft.text
        draft.apply(_unfolded(draft.text))
        draft.apply(_dropped(draft.text))
        draft.apply(_money(draft.text))
        if len(draft.text) <= MAX_DEEP:
            draft.apply([(start, end, "", "") for start, end in syllables.interleaved(draft.text)])
        for variant in candidates(draft.text):
            draft.apply(
                [
                    (m.start(), m.end(), variant.canonical, variant.kind)
                    for m in variant.pattern.finditer(draft.text)
                    if m.end() > m.start() and m.group() != variant.canonical
                ]
            )
        if len(draft.text) <= MAX_DEEP:
            draft.apply(_sounded(draft.text))
        if draft.text == before:
            return


def _sounded(text: str) -> list[Edit]:
    """Spellings that sound like a core word of the trade."""
    found = syllables.find(text)
    return [(a, b, word, "pinyin" if any("a" <= c <= "z" for c in text[a:b]) else "homophone") for a, b, word in found]


def _unfolded(text: str) -> list[Edit]:
    edits = []
    for m in _MULTI.finditer(text):
        flat = unicodedata.normalize("NFKC", m.group()).lower().translate(table())
        if flat != m.group():
            edits.append((m.start(), m.end(), flat, ""))
    return edits


def _dropped(text: str) -> list[Edit]:
    """What the light fold drops of a text that was changed, as edits."""
    flat = light((text,))
    edits: list[Edit] = []
    at = 0
    for place in (*flat.origin(0), len(text)):
        if place > at:
            edits.append((at, place, "", ""))
        at = place + 1
    return edits


def _money(text: str) -> list[Edit]:
    return [(i, i + 1, FINANCIAL[c], "") for m in _MONEY.finditer(text) for i, c in enumerate(m.group(), m.start()) if c in FINANCIAL]
