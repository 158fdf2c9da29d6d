"""Cheap signs: whether a text could hold something at all, decided for a whole batch by a table lookup a character."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_TABLE = 1 << 20
_MIX = 8191
"""Spreads two code points over the table; a wrong yes costs a closer look, a wrong no cannot be."""


class Signs:
    """Strings of one or more characters, of which only the first two are looked at: `seen` is never False where one stands."""

    def __init__(self, *kinds: Iterable[str]) -> None:
        """One or more kinds of signs, eight at most, looked up together."""
        self._single = np.zeros(0x110000, dtype=np.uint8)
        self._pairs = np.zeros(_TABLE, dtype=np.uint8)
        self.kinds = len(kinds)
        for number, strings in enumerate(kinds):
            for string in strings:
                if len(string) == 1:
                    self._single[ord(string)] |= 1 << number
                elif string:
                    self._pairs[(ord(string[0]) * _MIX + ord(string[1])) & (_TABLE - 1)] |= 1 << number
        self._any_single = bool(self._single.any())

    def seen(self, codes: NDArray[np.uint32], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(kinds, texts): which texts hold one. `codes`: all texts, a line break after each; `starts`: where each begins, and the end."""
        found = np.zeros((self.kinds, len(starts) - 1), dtype=np.bool_)
        marks = self._marks(codes)
        places = np.flatnonzero(marks)
        owners, bits = np.searchsorted(starts, places, side="right") - 1, marks[places]
        for number in range(self.kinds):
            found[number, owners[(bits & (1 << number)) != 0]] = True
        return found

    def places(self, codes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Where one of any kind may begin, ascending."""
        return np.flatnonzero(self._marks(codes))

    def _marks(self, codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
        """For each character the kinds of which a sign may begin there, as bits."""
        marks: NDArray[np.uint8] = self._single[codes] if self._any_single else np.zeros(len(codes), dtype=np.uint8)
        if len(codes) > 1:
            marks[:-1] |= self._pairs[(codes[:-1] * np.uint32(_MIX) + codes[1:]) & np.uint32(_TABLE - 1)]
        return marks


def within(marks: NDArray[np.bool_], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which texts hold a marked character."""
    found = np.zeros(len(starts) - 1, dtype=np.bool_)
    found[np.searchsorted(starts, np.flatnonzero(marks), side="right") - 1] = True
    return found


def runs(marks: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """Marks of characters at which at least `length` marked ones in a row begin."""
    found = marks.copy()
    for step in range(1, length):
        found[:-step] &= marks[step:]
        found[-step:] = False
    return found


def codes_of(texts: Iterable[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """(codes, starts) of texts, as `Signs.seen` takes them."""
    listed = list(texts)
    joined = "\n".join(listed) + "\n"
    lengths = np.fromiter((len(text) + 1 for text in listed), dtype=np.int64, count=len(listed))
    return np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32), np.concatenate(([0], np.cumsum(lengths)))
