"""A text cut into pieces to show: which are evidence, which are excuses, which are contacts to hide.

Pieces are plain text; the template escapes each. Nothing here makes HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from domain import contacts

Span = tuple[int, int]
_DISGUISED = str.maketrans("薇徽溦葳威维維魏", "微微微微微微微微")
"""Characters that stand for 微 in 微信 before a name. Read for hiding alone: hiding too much costs a click, too little a leak."""
_ADD_ME = re.compile(
    r"(?:微信|微芯|(?<![A-Za-z])(?:vx|wx|v))[号信]?[\s:：+＋]{0,3}([A-Za-z][A-Za-z0-9_-]{4,19}|[0-9]{5,11})", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of characters with the same marks."""

    text: str
    rules: tuple[str, ...] = ()
    """Rules that speak on it, strongest first."""
    excuse: bool = False
    """True where only excuses speak."""
    contact: bool = False

    @property
    def css(self) -> str:
        names = []
        if self.rules:
            names.append("excuse" if self.excuse else "evidence")
        if self.contact:
            names.append("contact")
        return " ".join(names)


def hide(text: str, spans: Iterable[Span]) -> str:
    """The text with letters and digits inside `spans` replaced by `*`, one for one, so that offsets stay true.

    The first two characters of each span stay: enough to tell two apart, not enough to call.
    """
    characters = list(text)
    for start, end in spans:
        for index in range(max(0, start + 2), min(end, len(characters))):
            if not characters[index].isspace():
                characters[index] = "*"
    return "".join(characters)


def contact_spans(text: str, known: Sequence[str] = ()) -> list[Span]:
    """Where contacts stand in the text: those that can be read in it, and the `known` values that were read elsewhere."""
    plain = text.translate(_DISGUISED)
    spans = [(found.start, found.end) for reading in dict.fromkeys((text, plain)) for found in contacts.find(reading)]
    spans += [found.span(1) for found in _ADD_ME.finditer(plain)]
    low = text.lower()
    # A character whose lower case is longer would shift what follows: then only what was read in the text itself is hidden.
    for value in {value.lower() for value in known if len(value) >= 4} if len(low) == len(text) else ():
        at = low.find(value)
        while at >= 0:
            spans.append((at, at + len(value)))
            at = low.find(value, at + len(value))
    return spans


def cut(
    text: str, *, matches: Sequence[Mapping[str, Any]], contacts: Sequence[Span], start: int = 0, end: int | None = None
) -> list[Piece]:
    """Pieces of `text[start:end]` in order; joined, they give that text. Offsets are those of the whole text.

    `matches` are rows with rule, start, end, weight; spans that lie outside the text are cut to it.
    """
    end = len(text) if end is None else min(end, len(text))
    edges = {start, end}
    for left, right in [*((match["start"], match["end"]) for match in matches), *contacts]:
        edges |= {edge for edge in (left, right) if start < edge < end}
    points = sorted(edges)
    pieces = []
    for left, right in pairwise(points):
        speaking = sorted((m for m in matches if m["start"] < right and m["end"] > left), key=lambda m: -abs(m["weight"]))
        pieces.append(
            Piece(
                text=text[left:right],
                rules=tuple(dict.fromkeys(m["rule"] for m in speaking)),
                excuse=bool(speaking) and all(m["weight"] < 0 for m in speaking),
                contact=any(a < right and b > left for a, b in contacts),
            )
        )
    return pieces


def parts(title: str, body: str, pictures: Sequence[str]) -> list[tuple[str, int, int]]:
    """(label, start, end) of the parts of a posting's judged text: title, body and what was read in the pictures.

    The same joining as domain.model.Posting.text, so that the offsets of matches fall where they were found.
    """
    found, at = [], 0
    for label, part in [("标题", title), ("正文", body), *((f"图中文字 {n}", text) for n, text in enumerate(pictures, 1))]:
        if part:
            found.append((label, at, at + len(part)))
            at += len(part) + 1
    return found
