"""Which terms stand in which text of a batch, by table look-ups: for the gate, which may take too much for true and never too little.

A term is known by its first four characters. Ten thousand terms cost no more than ten: a text costs a few nanoseconds a character.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_TABLE = 1 << 20
_LONGEST = 4
_SHIFTS = (np.uint64(0), np.uint64(16), np.uint64(32), np.uint64(48))
_PRIMES = (2_654_435_761, 40_503, 2_246_822_519, 3_266_489_917)


class Prefixes:
    """Beginnings of terms, one to four characters long, and a number for each."""

    def __init__(self, terms: Sequence[str]) -> None:
        self._flags = [np.zeros(_TABLE, dtype=np.bool_) for _ in range(_LONGEST)]
        known: list[dict[int, int]] = [{} for _ in range(_LONGEST)]
        self.number_of: list[int] = []
        """For each given term the number of its beginning."""
        numbers: dict[str, int] = {}
        for term in terms:
            head = term[:_LONGEST]
            number = numbers.setdefault(head, len(numbers))
            self.number_of.append(number)
            codes = np.array([ord(character) for character in head], dtype=np.uint32)
            known[len(head) - 1][int(_keys(codes, len(head))[0])] = number
            self._flags[len(head) - 1][int(_slots(codes, len(head))[0])] = True
        self.size = len(numbers)
        self._keys = [np.array(sorted(own), dtype=np.uint64) for own in known]
        self._numbers = [np.array([own[key] for key in sorted(own)], dtype=np.int64) for own in known]

    def find(self, codes: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(numbers, places): which beginning stands where in an array of code points. In no order."""
        numbers: list[NDArray[np.int64]] = []
        places: list[NDArray[np.int64]] = []
        for length in range(1, _LONGEST + 1):
            keys = self._keys[length - 1]
            if not len(keys) or len(codes) < length:
                continue
            at = np.flatnonzero(self._flags[length - 1][_slots(codes, length)])
            found = _keys(np.stack([codes[at + step] for step in range(length)]), length)
            row = np.minimum(np.searchsorted(keys, found), len(keys) - 1)
            true = keys[row] == found
            numbers.append(self._numbers[length - 1][row[true]])
            places.append(at[true])
        return (np.concatenate(numbers), np.concatenate(places)) if numbers else (np.zeros(0, np.int64), np.zeros(0, np.int64))


def _slots(codes: NDArray[np.uint32], length: int) -> NDArray[np.uint32]:
    """Place in the table of the `length` characters from each on."""
    end = len(codes) - length + 1
    mixed = codes[:end] * np.uint32(_PRIMES[0])
    for step in range(1, length):
        mixed = mixed + codes[step : end + step] * np.uint32(_PRIMES[step])
    return (mixed ^ (mixed >> np.uint32(15))) & np.uint32(_TABLE - 1)


def _keys(codes: NDArray[np.uint32], length: int) -> NDArray[np.uint64]:
    """The characters as one number, all beyond the first plane as one of them. `codes`: (length, places), or (length,) for one term."""
    wide = np.minimum(codes, 0xFFFF).reshape(length, -1).astype(np.uint64)
    found: NDArray[np.uint64] = wide[0]
    for step in range(1, length):
        found = found | (wide[step] << _SHIFTS[step])
    return found
