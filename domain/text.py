"""Folding: one canonical spelling for text that is written to be missed, with a true way back to the original characters.

Two depths. The light fold (width, Traditional to Simplified, case, look-alikes, zero width, separators between Han characters, financial
numerals) is always done. The deep fold (split characters, homophones, pinyin) is tried only where a cheap sign of evasion stands, and
every change that it makes is listed in `Folded.changes`. Ordinary words survive: each homophone names the context that it needs.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import ahocorasick_rs

_TABLES = Path(__file__).parent / "tables"
_HAN = "\u3400-\u9fff"

# Zero width, direction marks, variation selectors, combining marks, keycaps, controls, private use, tags: they carry no meaning here.
_INVISIBLE = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u0300-\u036f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u20d0-\u20ff\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff"
)
_SYMBOLS = "\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff\U0001f000-\U0001faff"
_SEPARATORS = " ·•・‧∙⋅●_*^|/\\\\~`'\"=\\-.。+&$@丶灬丨" + _SYMBOLS
_DROP = re.compile(f"[{_INVISIBLE}]+")
_GAP = re.compile(f"(?<=[{_HAN}])[{_SEPARATORS}]{{1,4}}(?=[{_HAN}])")
_SYMBOL_GAP = re.compile(f"(?<=[{_HAN}a-z0-9])[{_SYMBOLS}]{{1,6}}(?=[{_HAN}a-z0-9])")
_KEEP_GAP = re.compile(r"。|\.{2,}|-{2,}|~{2,}|={2,}|\*{3,}|_{3,}|#{2,}|[❤♥]")
_FINANCIAL = dict(zip("壹贰叁肆伍陆柒捌玖拾佰仟", "一二三四五六七八九十百千", strict=True))
_MONEY = re.compile(r"[壹贰叁肆伍陆柒捌玖拾佰仟零]{2,}|[壹贰叁肆伍陆柒捌玖拾佰仟](?=[万亿元圆%倍个分厘块百千]|佰|仟|拾)")
_MULTI = re.compile("[⑩-⑳⒑-⒛\u3220-\u33ff½¼\ufb00-\ufb06\u2100-\u214f]")
_LIGHT_PATTERNS = (_DROP, _GAP, _SYMBOL_GAP, _MONEY, _MULTI)


class Change(NamedTuple):
    """One deep fold: `kind` (split, homophone, pinyin, slang) and the half-open span in the folded text."""

    kind: str
    start: int
    end: int


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


class Variant(NamedTuple):
    """One line of tables/variants.txt."""

    kind: str
    signs: tuple[str, ...]
    """A match begins with one of these: the cheap sign without which the pattern is not tried."""
    pattern: re.Pattern[str]
    canonical: str
    needs: re.Pattern[str] | None


@lru_cache(maxsize=1)
def _table() -> dict[int, int]:
    """Code point to code point, from tables/fold.txt; lone surrogates become U+FFFD, which every encoder takes."""
    codes = (_TABLES / "fold.txt").read_text(encoding="ascii").splitlines()[1].split()
    table = {int(a, 16): int(b, 16) for a, b in (pair.split(">") for pair in codes)}
    table.update(dict.fromkeys(range(0xD800, 0xE000), 0xFFFD))
    return table


@lru_cache(maxsize=1)
def _variants() -> tuple[Variant, ...]:
    rows = []
    for line in (_TABLES / "variants.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        kind, signs, pattern, canonical, *needs = line.split("\t")
        needed = re.compile(needs[0]) if needs and needs[0] else None
        rows.append(Variant(kind, tuple(sign.replace("_", " ") for sign in signs.split(" ")), re.compile(pattern), canonical, needed))
    return tuple(rows)


@lru_cache(maxsize=1)
def _signs() -> tuple[ahocorasick_rs.AhoCorasick, tuple[tuple[int, ...], ...]]:
    """An automaton over all signs, and for each the places, in `_variants()`, of what it may begin."""
    places: dict[str, list[int]] = {}
    for place, variant in enumerate(_variants()):
        for sign in variant.signs:
            places.setdefault(sign, []).append(place)
    ordered = sorted(places)
    return ahocorasick_rs.AhoCorasick(ordered), tuple(tuple(places[sign]) for sign in ordered)


def _candidates(text: str) -> list[Variant]:
    """The deep folds that apply, in the order of the table: most texts have none, or a few that fail at once."""
    automaton, by_sign = _signs()
    found = automaton.find_matches_as_indexes(text, overlapping=True)
    if not found:
        return []
    variants = _variants()
    places = sorted({place for sign, _, _ in found for place in by_sign[sign]})
    return [v for v in (variants[place] for place in places) if v.pattern.search(text) and (v.needs is None or v.needs.search(text))]


class _Draft:
    """A text under change, with its two maps. Edits are made left to right in one rebuild."""

    __slots__ = ("changes", "ends", "origin", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.origin: Sequence[int] = range(len(text))
        self.ends: Sequence[int] = range(1, len(text) + 1)
        self.changes: list[Change] = []

    def apply(self, edits: list[tuple[int, int, str, str]]) -> None:
        """Edits (start, end, replacement, kind) in order and apart; kind "" is a light fold and is not listed."""
        if not edits:
            return
        parts: list[str] = []
        origin, ends = array("q"), array("q")
        moved: list[Change] = []
        at = size = 0
        old = sorted(self.changes, key=lambda change: change.start)
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
        for change in old:
            shift = next(value for place, value in reversed(shifts) if place <= change.start)
            moved.append(Change(change.kind, max(0, change.start + shift), max(0, change.end + shift)))
        self.changes = sorted(moved, key=lambda change: (change.start, change.end))


def _gaps(text: str) -> list[tuple[int, int, str, str]]:
    edits = {(m.start(), m.end()) for m in _GAP.finditer(text) if not _KEEP_GAP.search(m.group())}
    edits |= {(m.start(), m.end()) for m in _SYMBOL_GAP.finditer(text) if not _KEEP_GAP.search(m.group())}
    result: list[tuple[int, int, str, str]] = []
    for start, end in sorted(edits):
        if not result or start >= result[-1][1]:
            result.append((start, end, "", ""))
    return result


def _light(draft: _Draft) -> None:
    draft.apply([(m.start(), m.end(), "", "") for m in _DROP.finditer(draft.text)])
    wide = []
    for m in _MULTI.finditer(draft.text):
        flat = unicodedata.normalize("NFKC", m.group()).lower().translate(_table())
        if flat != m.group():
            wide.append((m.start(), m.end(), flat, ""))
    draft.apply(wide)
    draft.apply(_gaps(draft.text))
    money = []
    for m in _MONEY.finditer(draft.text):
        money += [(i, i + 1, _FINANCIAL[c], "") for i, c in enumerate(m.group(), m.start()) if c in _FINANCIAL]
    draft.apply(money)


def _deep(draft: _Draft, variants: list[Variant]) -> None:
    for variant in variants:
        edits = [
            (m.start(), m.end(), variant.canonical, variant.kind)
            for m in variant.pattern.finditer(draft.text)
            if m.end() > m.start() and m.group() != variant.canonical
        ]
        draft.apply(edits)


_MAX_DEEP = 20_000
"""Characters up to which deep folds are tried: evasion hides in posts, not in books, and time stays bounded."""


def fold(text: str) -> Folded:
    """The canonical form of any Unicode text. Never raises; folding what is folded changes nothing."""
    flat = text.translate(_table())
    # A dropped separator can bring a variant together, and the other way round; six rounds reach the fixed point of any real text.
    draft: _Draft | None = None
    for _ in range(6):
        now = draft.text if draft else flat
        light = any(pattern.search(now) for pattern in _LIGHT_PATTERNS)
        if light:
            draft = draft or _Draft(flat)
            _light(draft)
        variants = _candidates(draft.text if draft else flat) if len(now) <= _MAX_DEEP else []
        if variants:
            draft = draft or _Draft(flat)
            _deep(draft, variants)
        if draft is None or draft.text == now:
            break
    if draft is None:
        return Folded(flat, range(len(flat)), range(1, len(flat) + 1))
    return Folded(draft.text, draft.origin, draft.ends, tuple(draft.changes))
