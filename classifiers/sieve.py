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

_WORD = 8
"""Characters of a gate's word, or of a sum: distances are taken between their beginnings here, so it is added."""


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
        self._hinted = frozenset(reads for needs, one in asked for reads in one.reads if not needs)
        self._beside = [self._gate_of(one, owners) for _, one in self._asked]
        self._asked_gains = np.array([one.gain for _, one in self._asked])

    def passing(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Which of the folded texts need more than this pass, in order."""
        codes, starts = codes_of(texts)
        terms, places = self._prefixes.find(codes)
        owner = np.searchsorted(starts, places, side="right") - 1
        present = self._present(terms, owner, count=len(texts))
        bound = np.zeros(len(texts))
        for needs, gain in self._told:
            bound += gain * _all(present, needs)
        passed: NDArray[np.bool_] = bound >= self._floor
        stands = self._standing(present, (terms, places), codes=codes, starts=starts)
        most = bound + self._asked_gains @ stands
        unsure = np.flatnonzero(~passed & (most >= self._floor))
        owners, asked = np.nonzero(stands[:, unsure].T)
        edges = np.searchsorted(owners, np.arange(len(unsure) + 1)).tolist()
        listed, bounds, tops = asked.tolist(), bound[unsure].tolist(), most[unsure].tolist()
        for at, number in enumerate(unsure.tolist()):
            asked_here = listed[edges[at] : edges[at + 1]]
            passed[number] = self._asks(texts[number], bounds[at], asked_here, left=tops[at] - bounds[at])
        return passed

    def _standing(
        self,
        present: NDArray[np.bool_],
        found: tuple[NDArray[np.int64], NDArray[np.int64]],
        *,
        codes: NDArray[np.uint32],
        starts: NDArray[np.int64],
    ) -> NDArray[np.bool_]:
        """(rules that need more than words, texts): where all that is cheap to know of the rule stands. `found`: beginnings and places."""
        # Rules that name words are few enough to be asked one by one; only what no word calls up, and sums, are worth a look at all texts.
        looks = {"rates": hints.rates, "contacts": hints.contacts}
        hinted = {reads: looks[reads](codes, starts) for reads in self._hinted}
        sums = hints.sums(codes)
        stands = np.zeros((len(self._asked), len(present)), dtype=np.bool_)
        for place, ((needs, asked), beside) in enumerate(zip(self._asked, self._beside, strict=True)):
            stands[place] = _all(present, needs)
            for reads in asked.reads & self._hinted:
                stands[place] &= hinted[reads]
            if beside is not None:
                reach, gate = beside
                near = _near(found[1][gate[found[0]]], sums, reach)
                mine = np.zeros(len(present), dtype=np.bool_)
                mine[np.searchsorted(starts, near, side="right") - 1] = True
                stands[place] &= mine
        return stands

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

    @staticmethod
    def _gate_of(one: _Open, owners: Sequence[Sequence[int]]) -> tuple[int, NDArray[np.bool_]] | None:
        """(characters within which a sum stands, which beginnings are of the pattern's gate); None for a rule that asks for no sum."""
        test = next((test for test in one.tests if test.sum), None)
        return None if test is None else (test.sum, np.array([test.group in groups for groups in owners]))

    def _present(self, terms: NDArray[np.int64], number: NDArray[np.int64], *, count: int) -> NDArray[np.bool_]:
        """(texts, groups): which groups stand in which text. `number[i]` is the text in which `terms[i]` stands."""
        present = np.zeros((count, self._size), dtype=np.bool_)
        counts = self._first[terms + 1] - self._first[terms]
        inner = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        present[np.repeat(number, counts), self._owners[np.repeat(self._first[terms], counts) + inner]] = True
        return present


def _near(places: NDArray[np.int64], sums: NDArray[np.int64], within: int) -> NDArray[np.int64]:
    """Those places that have a sum at most `within` characters and the length of a word away."""
    if not len(sums) or not len(places):
        return places[:0]
    reach = within + _WORD
    after = np.searchsorted(sums, places)
    right = sums[np.minimum(after, len(sums) - 1)] - places
    left = places - sums[np.maximum(after - 1, 0)]
    return places[((right >= 0) & (right <= reach)) | ((left >= 0) & (left <= reach))]


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
