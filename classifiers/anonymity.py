"""Texts of real pages as they may leave the store to be learned from: every way to reach a person or a site is an invented one."""

from __future__ import annotations

import random
import re
import string

from classifiers.pseudonyms import PERSONAL, exchanged
from domain import contacts

_KEPT = re.compile(r"https?://|www\.|\.[a-z]{2,6}(?![a-z0-9.-])", re.IGNORECASE)
"""What of an address says nothing of whose it is: a model needs the shape."""


def anonymous(text: str) -> str:
    """`text` of the same length with all contacts exchanged: those of persons as training does, sites and record numbers too.

    What replaces them is drawn from the rest of the text. Personal names in running text stay: nothing here reads names.
    """
    text = exchanged(text)
    spans, at = [], 0
    for found in contacts.find(text):
        if found.kind not in PERSONAL and found.start >= at:
            spans.append((found.start, found.end))
            at = found.end
    if not spans:
        return text
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    rest = [text[edges[n] : edges[n + 1]] for n in range(0, len(edges) - 1, 2)]
    draw = random.Random("\0".join(rest).encode("utf-8", "surrogatepass"))
    parts = [rest[0]]
    for (start, end), after in zip(spans, rest[1:], strict=True):
        parts += [_invented(text[start:end], draw), after]
    return "".join(parts)


def _invented(shown: str, draw: random.Random) -> str:
    kept = {place for match in _KEPT.finditer(shown) for place in range(*match.span())}
    return "".join(one if place in kept else _drawn(one, draw) for place, one in enumerate(shown))


def _drawn(one: str, draw: random.Random) -> str:
    if one in string.ascii_letters:
        return draw.choice(string.ascii_lowercase if one.islower() else string.ascii_uppercase)
    return str(draw.randrange(10)) if one.isdecimal() else one
