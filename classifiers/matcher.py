"""Rules against one text: an Aho-Corasick pass over all their terms, then the conditions of the rules it touched."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from classifiers.compiled import Lexicon, Ready, Test
from classifiers.reading import Reading, Span
from classifiers.tokens import Boundaries
from classifiers.windows import windows
from rules.loader import RuleSet
from rules.schema import Rule

_CHUNK = 40_000
"""Characters given to the automaton at once, so that a text of one repeated term stays small in memory."""
_MOST_WINDOWS = 600
"""Windows of one text that are judged, some 200,000 characters: no posting is longer, and time stays bounded."""
_MOST_SPANS = 64
"""Spans kept for one group in one window: more say nothing new."""
_MOST_OF_TERM = 2000
"""Places of one term that are kept in one chunk."""
_HOLD = 12
"""Characters within which a negating word holds what follows it, unless a clause ends between."""
_SENTENCE_STOP = re.compile(r"[。!?;,，！？；\n]")


@dataclass(frozen=True, slots=True)
class Found:
    """A rule that matched in one window, in characters of the folded text."""

    rule: Rule
    spans: tuple[Span, ...]
    strength: float
    """1.0, or less where what was found is negated, quoted or held down by a `less` clause."""
    note: str = ""
    """negated, quoted or less."""


class Hits:
    """The terms that stand in one window, by group. A term is of many groups and few of them are asked for, so each is made when asked."""

    __slots__ = ("_found", "_spans", "mask")

    def __init__(self, found: Sequence[tuple[int, int, int]]) -> None:
        """`found`: (start, minus end, groups as bits), sorted."""
        self._found = found
        self._spans: dict[int, list[Span]] = {}
        self.mask = 0
        """Groups of which a term stands here, a bit a group."""
        for _, _, groups in found:
            self.mask |= groups

    def of(self, group: int) -> list[Span]:
        """Spans of the terms of a group, in order, the longest first where several begin at one place; _MOST_SPANS at most."""
        if group < 0 or not self.mask >> group & 1:
            return []
        spans = self._spans.get(group)
        if spans is None:
            bit = 1 << group
            spans = self._spans[group] = [(start, -end) for start, end, groups in self._found if groups & bit][:_MOST_SPANS]
        return spans


class Matcher:
    """The given rules of a set against one text."""

    def __init__(self, ruleset: RuleSet, rules: Sequence[Rule]) -> None:
        self.lexicon = lexicon = Lexicon(ruleset, rules)
        self._ready = lexicon.rules
        called: dict[int, list[int]] = defaultdict(list)
        self._uncalled: list[int] = []
        for place, ready in enumerate(self._ready):
            # The first clause with terms calls the rule up; without one, any text with a number does.
            if ready.needs:
                called[ready.needs[0]].append(place)
            else:
                self._uncalled.append(place)
        self._called = {group: tuple(places) for group, places in called.items()}
        self._callers = sum(1 << group for group in called)
        self._boundaries = Boundaries(lexicon.terms) if any(lexicon.ambiguous) else None
        policy = ruleset.policy
        self._factors = {"negated": policy.negated_factor, "quoted": policy.quoted_factor, "less": policy.less_factor}

    def _terms(self, text: str) -> list[tuple[int, int, int]]:
        """(start, minus end, groups as bits) of every term that stands in the folded text, sorted."""
        whole = self.lexicon.automaton.find_matches_as_indexes
        hits = whole(text, overlapping=True) if len(text) <= _CHUNK else self._chunks(text)
        masks, ambiguous = self.lexicon.masks, self.lexicon.ambiguous
        found = [(start, -end, masks[term]) for term, start, end in hits if not (ambiguous[term] and self._inner(text, start, end))]
        found.sort()
        return found

    def _inner(self, text: str, start: int, end: int) -> bool:
        return self._boundaries is not None and not self._boundaries.stands_alone(text, start, end)

    def _chunks(self, text: str) -> list[tuple[int, int, int]]:
        kept = []
        for at in range(0, len(text), _CHUNK):
            seen: dict[int, int] = {}
            for term, start, end in self.lexicon.automaton.find_matches_as_indexes(text[at : at + _CHUNK + 40], overlapping=True):
                seen[term] = seen.get(term, 0) + 1
                if start < _CHUNK and seen[term] <= _MOST_OF_TERM:
                    kept.append((term, at + start, at + end))
        return kept

    def match(self, reading: Reading, *, spans: Sequence[Span] | None = None) -> list[tuple[Span, list[Found]]]:
        """(window, rules found there) for every window in which something was found; windows of the text without `spans`."""
        found = self._terms(reading.text)
        if not found and not (self._uncalled and any(c.isdigit() for c in reading.text[:2000])):
            return []
        spans = spans or windows(reading.text)
        result = []
        for window in spans[:_MOST_WINDOWS]:
            rules = self._rules(Hits(found if len(spans) == 1 else _inside(found, window)), window, reading)
            if rules:
                result.append((window, rules))
        return result

    def _rules(self, hits: Hits, window: Span, reading: Reading) -> list[Found]:
        mask, ready_ones = hits.mask, self._ready
        places = list(self._uncalled)
        left = mask & self._callers
        while left:
            lowest = left & -left
            left ^= lowest
            places += [place for place in self._called[lowest.bit_length() - 1] if mask & ready_ones[place].mask == ready_ones[place].mask]
        places.sort()
        result = []
        for place in places:
            ready = ready_ones[place]
            spans: list[Span] = []
            for test in ready.tests:
                span = self._ask(test, hits, window, reading)
                if span is None:
                    break
                spans += span
            else:
                result.append(self._weigh(ready, spans, hits, window, reading))
        return result

    def _ask(self, test: Test, hits: Hits, window: Span, reading: Reading) -> list[Span] | None:
        """The spans that fulfil one clause, the most telling first; None where it is not fulfilled."""
        kind = test.kind
        if kind == "terms":
            spans = hits.of(test.group)
            return [self._plainest(spans, hits, reading)] if spans else None
        if test.group >= 0 and not hits.mask >> test.group & 1:
            return None
        if kind == "near":
            return _pair(hits.of(test.group), hits.of(test.other), test)
        if kind in ("rate", "near_rate"):
            fit = [(r.start, r.end) for r in reading.rates if r.high >= test.least and window[0] <= r.start < window[1]]
            return (fit[:1] or None) if kind == "rate" else _pair(hits.of(test.group), fit, test)
        if kind in ("contact", "near_contact"):
            fit = [
                (c.start, c.end)
                for c in reading.contacts
                if window[0] <= c.start < window[1] and (not test.kinds or c.kind in test.kinds)
            ]
            return (fit[:1] or None) if kind == "contact" else _pair(hits.of(test.group), fit, test)
        if test.pattern is None or (test.sum and not reading.sums):
            return None
        m = test.pattern.search(reading.text, window[0], window[1])
        return [m.span()] if m else None

    def _plainest(self, spans: Sequence[Span], hits: Hits, reading: Reading) -> Span:
        """The first one that is neither negated nor quoted, else the first."""
        if len(spans) == 1:
            return spans[0]
        return next((span for span in spans[:8] if not self._held(span, hits, reading)), spans[0])

    def _held(self, span: Span, hits: Hits, reading: Reading) -> str:
        """negated, quoted or nothing: how the text itself holds these words at a distance."""
        for start, end in hits.of(self.lexicon.negators):
            if end <= span[0] <= start + _HOLD and not _SENTENCE_STOP.search(reading.text, end, span[0]):
                return "negated"
        if any(start <= span[0] and span[1] <= end for start, end in reading.quotes):
            return "quoted"
        return ""

    def _weigh(self, ready: Ready, spans: list[Span], hits: Hits, window: Span, reading: Reading) -> Found:
        kept = tuple(dict.fromkeys(spans))
        if ready.rule.family in ("excuses", "signs"):
            return Found(ready.rule, kept, 1.0)
        strength, note = 1.0, ""
        held = {self._held(span, hits, reading) for span in kept}
        for kind in ("negated", "quoted"):
            if kind in held:
                strength, note = strength * self._factors[kind], note or kind
        if any(self._ask(test, hits, window, reading) is not None for test in ready.less):
            strength, note = strength * self._factors["less"], note or "less"
        return Found(ready.rule, kept, strength, note)


def _inside(found: list[tuple[int, int, int]], window: Span) -> list[tuple[int, int, int]]:
    """Those that begin in the window; `found` is sorted."""
    return found[bisect_left(found, (window[0],)) : bisect_left(found, (window[1],))]


def _pair(left: Sequence[Span], right: Sequence[Span], test: Test) -> list[Span] | None:
    """The closest pair that keeps the distance and the order."""
    best: tuple[int, Span, Span] | None = None
    for a in left[:_MOST_SPANS]:
        for b in right:
            gap = max(b[0] - a[1], a[0] - b[1], 0)
            if gap <= test.within and not (test.ordered and b[0] < a[1]) and (best is None or gap < best[0]) and a != b:
                best = (gap, a, b)
    return [best[1], best[2]] if best else None
