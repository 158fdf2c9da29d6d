"""The gate: which texts of a batch could be scored at all, decided without looking at any of them closely.

Most of an ordinary stream holds no word of ours, or a few that every shop uses. For such a text the most that rules could add to its
score stays below what the keyword layer scores at all, so its answer is known. The bound is never too low: a rule counts in full as
soon as its words stand anywhere in the text, whatever their distance, order, negation or quotation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.compiled import Lexicon, Ready, Test, automaton
from classifiers.reading import Reading

_SPLIT = 60_000
"""Characters of a batch that are looked through at once: a hostile text of one repeated term stays small in memory."""


class _Open(NamedTuple):
    """A rule whose words alone do not tell: its tests of patterns, rates and contacts are asked before it counts."""

    gain: float
    tests: tuple[Test, ...]


class Sieve:
    """An upper bound of what the rules add to a text's log-odds. Excuses are left out: they only lower it."""

    def __init__(self, lexicon: Lexicon, gains: Mapping[str, float], *, floor: float) -> None:
        """`gains`: rule id to log-odds. Texts whose bound stays under `floor` are let go."""
        self._floor = floor
        raising = [ready for ready in lexicon.rules if gains.get(ready.rule.id, 0.0) > 0]
        needed = {group for ready in raising for group in ready.needs}
        places = [place for place, groups in enumerate(lexicon.groups_of) if needed.intersection(groups)]
        self._automaton = automaton([lexicon.terms[place] for place in places])
        owners = [sorted(needed.intersection(lexicon.groups_of[place])) for place in places]
        self._first = np.cumsum([0, *map(len, owners)])
        self._owners = np.fromiter(chain.from_iterable(owners), dtype=np.int64)
        self._size = lexicon.size
        self._told = [(ready.needs, gains[ready.rule.id]) for ready in raising if not _untold(ready)]
        self._asked = [(ready.needs, _Open(gains[ready.rule.id], _untold(ready))) for ready in raising if _untold(ready)]

    def passing(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Which of the folded texts need more than this pass, in order."""
        present = self._present(texts)
        bound = np.zeros(len(texts))
        for needs, gain in self._told:
            bound += gain * _all(present, needs)
        passed = bound >= self._floor
        open_ = [(_all(present, needs), asked) for needs, asked in self._asked]
        most = bound + sum(asked.gain * stands for stands, asked in open_) if open_ else bound
        for number in np.flatnonzero(~passed & (most >= self._floor)).tolist():
            passed[number] = self._asks(texts[number], bound[number], [asked for stands, asked in open_ if stands[number]])
        return passed

    def _asks(self, text: str, bound: float, asked: Sequence[_Open]) -> bool:
        """Whether the rules that need more than words lift a text over the floor; the dearest questions come last."""
        reading = Reading(text)
        left = sum(one.gain for one in asked)
        for one in sorted(asked, key=lambda one: _cost(one.tests)):
            if bound + left < self._floor:
                return False
            left -= one.gain
            if all(_holds(test, reading) for test in one.tests):
                bound += one.gain
                if bound >= self._floor:
                    return True
        return False

    def _present(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """(texts, groups): which groups stand in which text."""
        present = np.zeros((len(texts), self._size), dtype=np.bool_)
        joined = "\n".join(texts)
        starts = np.cumsum([0, *(len(text) + 1 for text in texts)])
        for at in range(0, max(len(joined), 1), _SPLIT):
            hits = self._automaton.find_matches_as_indexes(joined[at : at + _SPLIT + 40], overlapping=True)
            if not hits:
                continue
            found = np.fromiter(chain.from_iterable(hits), dtype=np.int64, count=3 * len(hits)).reshape(-1, 3)
            number = np.searchsorted(starts, found[:, 1] + at, side="right") - 1
            terms, number = np.divmod(np.unique(found[:, 0] * len(texts) + number), len(texts))
            counts = self._first[terms + 1] - self._first[terms]
            inner = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            present[np.repeat(number, counts), self._owners[np.repeat(self._first[terms], counts) + inner]] = True
        return present


def _untold(ready: Ready) -> tuple[Test, ...]:
    return tuple(test for test in ready.tests if test.reads or test.pattern is not None)


def _all(present: NDArray[np.bool_], needs: Sequence[int]) -> NDArray[np.bool_]:
    if not needs:
        return np.ones(len(present), dtype=np.bool_)
    stands = present[:, needs[0]]
    for group in needs[1:]:
        stands = stands & present[:, group]
    return stands


def _cost(tests: Sequence[Test]) -> int:
    return max({"": 0, "contacts": 1, "rates": 2}[test.reads] for test in tests)


def _holds(test: Test, reading: Reading) -> bool:
    """Whether the clause could hold anywhere in the text."""
    if test.reads == "rates":
        return any(rate.high >= test.least for rate in reading.rates)
    if test.reads == "contacts":
        return any(not test.kinds or one.kind in test.kinds for one in reading.contacts)
    return test.pattern is None or test.pattern.search(reading.text) is not None
