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

from classifiers.compiled import Lexicon, Ready, Test
from classifiers.prefixes import Prefixes
from classifiers.reading import Reading
from domain import hints
from domain.signs import codes_of


class _Open(NamedTuple):
    """A rule whose words alone do not tell: its tests of patterns, rates and contacts are asked before it counts."""

    gain: float
    tests: tuple[Test, ...]

    @property
    def reads(self) -> frozenset[str]:
        """Of rates, contacts and sums what it needs."""
        return frozenset(test.reads for test in self.tests if test.reads)


class Sieve:
    """An upper bound of what the rules add to a text's log-odds. Excuses are left out: they only lower it."""

    def __init__(self, lexicon: Lexicon, gains: Mapping[str, float], *, floor: float) -> None:
        """`gains`: rule id to log-odds. Texts whose bound stays under `floor` are let go."""
        self._floor = floor
        raising = [ready for ready in lexicon.rules if gains.get(ready.rule.id, 0.0) > 0]
        needed = {group for ready in raising for group in ready.needs}
        places = [place for place, groups in enumerate(lexicon.groups_of) if needed.intersection(groups)]
        self._prefixes = Prefixes([lexicon.terms[place] for place in places])
        groups: list[set[int]] = [set() for _ in range(self._prefixes.size)]
        for place, number in zip(places, self._prefixes.number_of, strict=True):
            groups[number] |= needed.intersection(lexicon.groups_of[place])
        owners = [sorted(own) for own in groups]
        self._first = np.cumsum([0, *map(len, owners)])
        self._owners = np.fromiter(chain.from_iterable(owners), dtype=np.int64)
        self._size = lexicon.size
        self._told = [(ready.needs, gains[ready.rule.id]) for ready in raising if not _untold(ready)]
        asked = [(ready.needs, _Open(gains[ready.rule.id], _untold(ready))) for ready in raising if _untold(ready)]
        # Cheap questions first, and of these the weighty ones.
        self._asked = sorted(asked, key=lambda pair: (_cost(pair[1].tests), -pair[1].gain))
        self._hinted = frozenset(reads for needs, one in asked for reads in one.reads if not needs or reads == "sums")
        self._asked_gains = np.array([one.gain for _, one in self._asked])

    def passing(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Which of the folded texts need more than this pass, in order."""
        codes, starts = codes_of(texts)
        present = self._present(codes, starts)
        bound = np.zeros(len(texts))
        for needs, gain in self._told:
            bound += gain * _all(present, needs)
        passed: NDArray[np.bool_] = bound >= self._floor
        # Rules that name words are few enough to be asked one by one; only what no word calls up, and sums, are worth a look at all texts.
        looks = {"rates": hints.rates, "contacts": hints.contacts, "sums": hints.sums}
        hinted = {reads: looks[reads](codes, starts) for reads in self._hinted}
        stands = np.zeros((len(self._asked), len(texts)), dtype=np.bool_)
        for place, (needs, asked) in enumerate(self._asked):
            stands[place] = _all(present, needs)
            for reads in asked.reads & self._hinted:
                stands[place] &= hinted[reads]
        most = bound + self._asked_gains @ stands
        unsure = np.flatnonzero(~passed & (most >= self._floor))
        owners, places = np.nonzero(stands[:, unsure].T)
        edges = np.searchsorted(owners, np.arange(len(unsure) + 1)).tolist()
        listed, bounds, tops = places.tolist(), bound[unsure].tolist(), most[unsure].tolist()
        for at, number in enumerate(unsure.tolist()):
            asked_here = listed[edges[at] : edges[at + 1]]
            passed[number] = self._asks(texts[number], bounds[at], asked_here, left=tops[at] - bounds[at])
        return passed

    def _asks(self, text: str, bound: float, asked: Sequence[int], *, left: float) -> bool:
        """Whether the rules that need more than words, together worth `left`, lift a text over the floor; the dearest come last."""
        reading, floor = Reading(text), self._floor
        for place in asked:
            if bound + left < floor:
                return False
            _, (gain, tests) = self._asked[place]
            left -= gain
            for test in tests:
                if not _holds(test, reading):
                    break
            else:
                bound += gain
                if bound >= floor:
                    return True
        return False

    def _present(self, codes: NDArray[np.uint32], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(texts, groups): which groups stand in which text."""
        present = np.zeros((len(starts) - 1, self._size), dtype=np.bool_)
        terms, places = self._prefixes.find(codes)
        number = np.searchsorted(starts, places, side="right") - 1
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
    return max({"": 0, "sums": 0, "contacts": 1, "rates": 2}[test.reads] for test in tests)


def _holds(test: Test, reading: Reading) -> bool:
    """Whether the clause could hold anywhere in the text."""
    if test.pattern is not None:
        return test.pattern.search(reading.text) is not None
    if test.kind in ("rate", "near_rate"):
        return any(rate.high >= test.least for rate in reading.rates)
    return any(not test.kinds or one.kind in test.kinds for one in reading.contacts)
