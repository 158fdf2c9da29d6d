"""Near-duplicates: texts that say the same in nearly the same words. MinHash over 4-grams of folded text, numpy alone.

Two texts are near when a third of their 4-grams, taken together, are in both. A number reads like any other and signs do not count:
an amount, a date or a phone number that was exchanged makes no new text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from domain.text import fold_all

SIZE = 4
"""Characters of a gram."""
BANDS, DEPTH = 64, 2
"""Texts that share a third of their grams meet in one of the bands 999 times in 1000; those that meet are compared."""
NEAR = 0.35
"""Chosen on a labelled set whose 150 groups of several rows were found otherwise: 142 of them are found whole, at 0.5 only 106; what else
is united reads as one template with another name in it. Lower begins to unite reports of one event."""
_BLOCK = 1 << 16
"""Characters that are hashed at a time: what stays in a processor's cache."""
_DIGITS, _SIGNS = re.compile(r"[0-9]+"), re.compile(r"[\W_]+")
_MIX = np.uint64(0x9E3779B97F4A7C15)


class Ties:
    """Things 0 to count - 1 and what was found to belong together."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def top(self, one: int) -> int:
        """The least of all that belong together with `one`."""
        parent = self._parent
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    def tie(self, one: int, other: int) -> None:
        first, second = self.top(one), self.top(other)
        self._parent[max(first, second)] = min(first, second)

    def tie_equal(self, keys: Iterable[str]) -> None:
        """Ties all things of one key; an empty key ties nothing. Keys are in the order of the things."""
        first: dict[str, int] = {}
        for number, key in enumerate(keys):
            if key:
                self.tie(number, first.setdefault(key, number))

    def tops(self) -> list[int]:
        return [self.top(number) for number in range(len(self._parent))]


def folded(texts: Sequence[str]) -> list[str]:
    """Each text folded, without white space."""
    return ["".join(text.split()) for text in fold_all(texts).texts]


def numberless(text: str) -> str:
    """A folded text with each run of digits as one 0."""
    return _DIGITS.sub("0", text)


def clusters(texts: Sequence[str], *, near: float = NEAR) -> list[int]:
    """For each text the number of the first text of its cluster. Nearness is passed on: a cluster's ends may be less than near.

    The same texts in the same order give the same clusters everywhere. 25,000 short texts take seconds.
    """
    bare = [_SIGNS.sub("", text) or text for text in map(numberless, folded(texts))]
    firsts = list({text: number for number, text in reversed(list(enumerate(bare)))}.values())[::-1]
    ties = Ties(len(texts))
    ties.tie_equal(bare)
    signatures = _signatures([bare[number] for number in firsts])
    for one, other in _pairs(signatures, near=near):
        ties.tie(firsts[one], firsts[other])
    return ties.tops()


def _pairs(signatures: NDArray[np.uint32], *, near: float) -> list[tuple[int, int]]:
    """Pairs of near texts among those that meet in a band: each with the first and with the last one before it in the same place."""
    found: set[tuple[int, int]] = set()
    for band in range(BANDS):
        part = signatures[:, band * DEPTH : (band + 1) * DEPTH].astype(np.uint64)
        key = part[:, 0]
        for column in range(1, DEPTH):
            key = (key * _MIX) ^ (part[:, column] + (key >> np.uint64(31)))
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.diff(key[order], prepend=key[order][:1] ^ np.uint64(1)))
        first = np.repeat(order[starts], np.diff(starts, append=len(order)))
        before = np.roll(order, 1)
        before[starts] = order[starts]
        for others in (first, before):
            met = others != order
            one, other = others[met], order[met]
            alike = _alike(signatures, one, other) >= near
            found.update(zip(one[alike].tolist(), other[alike].tolist(), strict=True))
    return sorted(found)


def _alike(signatures: NDArray[np.uint32], one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of equal hashes, pair by pair: an estimate of the share of grams in both, within 0.09 nineteen times in twenty."""
    found = np.empty(len(one))
    for start in range(0, len(one), _BLOCK):
        part = slice(start, start + _BLOCK)
        found[part] = (signatures[one[part]] == signatures[other[part]]).mean(axis=1)
    return found


def _signatures(texts: Sequence[str]) -> NDArray[np.uint32]:
    """(texts, BANDS * DEPTH): the least hash of each text's grams under each of as many hash functions."""
    draw = np.random.default_rng(20261123)
    factors = draw.integers(0, 2**63, size=BANDS * DEPTH, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    found = np.empty((len(texts), BANDS * DEPTH), dtype=np.uint32)
    start = 0
    while start < len(texts):
        end, size = start, 0
        while end < len(texts) and (size == 0 or size + len(texts[end]) <= _BLOCK):
            size += max(len(texts[end]), SIZE)
            end += 1
        grams, places = _grams(texts[start:end])
        for number, factor in enumerate(factors):
            found[start:end, number] = np.minimum.reduceat((grams * factor) >> np.uint64(32), places).astype(np.uint32)
        start = end
    return found


def _grams(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """(hashes of all grams, where each text's begin). A text shorter than a gram is one gram."""
    padded = [text.ljust(SIZE, "\0") for text in texts]
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    lengths = np.array([len(text) for text in padded], dtype=np.int64)
    rolled = codes[: len(codes) - SIZE + 1]
    for ahead in range(1, SIZE):
        rolled = rolled * _MIX + codes[ahead : len(codes) - SIZE + 1 + ahead]
    rolled = rolled ^ (rolled >> np.uint64(29))
    # Grams that reach over the end of a text into the next one are of neither.
    ends = np.cumsum(lengths)
    whole = np.ones(len(rolled), dtype=bool)
    for short in range(1, SIZE):
        whole[ends[:-1] - short] = False
    return rolled[whole], np.concatenate([[0], np.cumsum(lengths - SIZE + 1)[:-1]])
