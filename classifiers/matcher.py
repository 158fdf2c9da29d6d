"""Rules compiled for one pass: an Aho-Corasick automaton over all their terms, then the conditions of the rules it touched."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import ahocorasick_rs

from classifiers.reading import Reading, Span
from classifiers.tokens import stands_alone
from classifiers.windows import windows
from rules.loader import RuleSet
from rules.schema import RATE, Clause, Rule

Hits = dict[int, list[Span]]
"""Group number to the spans of its terms, in order."""
_CHUNK = 40_000
"""Characters given to the automaton at once, so that a text of one repeated term stays small in memory."""
_MOST_WINDOWS = 600
"""Windows of one text that are judged, some 200,000 characters: no posting is longer, and time stays bounded."""
_MOST_SPANS = 64
"""Spans kept for one group in one window: more say nothing new."""
_RATE_SIGN = re.compile(
    r"%|百分之|[\d一二两三四五六七八九半](?:分|厘|毛|个点|点|倍)|翻|回本|[万千]分?之?[\d一二三四五六七八九]"
    r"|[存充投买满交资费股][^\n]{0,4}[\d一二两三四五六七八九十]"
)
_CHAT_SIGN = re.compile(r"微信|qq|vx|wx|扣扣|企鹅|群|公众号|v信|(?<![a-z])[vq] ?[:+号\d]|[加薇徽信][:+ ]")
_CONTACT_SIGN = re.compile(r"\d{5}|[a-z\d]\.[a-z]|@|[零一二三四五六七八九幺]{6}|微信|qq|vx|wx")
"""What no rate, no chat name and no other contact is written without: cheaper to look for than to read them."""
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


class _Test(NamedTuple):
    """A clause ready to be asked."""

    kind: str
    group: int
    other: int
    within: int
    ordered: bool
    least: float
    kinds: frozenset[str]
    pattern: re.Pattern[str] | None


class _Ready(NamedTuple):
    rule: Rule
    tests: tuple[_Test, ...]
    less: tuple[_Test, ...]


class Matcher:
    """All rules of a set against one text."""

    def __init__(self, ruleset: RuleSet) -> None:
        self.ruleset = ruleset
        self._groups: dict[tuple[str, ...], int] = {}
        self._ready: list[_Ready] = []
        by_group: dict[int, list[int]] = defaultdict(list)
        self._ungated: list[int] = []
        for rule in ruleset.scored:
            ready = _Ready(rule, tuple(self._test(c) for c in rule.match.all), tuple(self._test(c) for c in rule.match.less))
            place = len(self._ready)
            self._ready.append(ready)
            # The first clause with terms calls the rule up; without one, any text with a number does.
            anchor = next((test.group for test in ready.tests if test.group >= 0), None)
            if anchor is None:
                self._ungated.append(place)
            else:
                by_group[anchor].append(place)
        self._by_group = {group: tuple(places) for group, places in by_group.items()}
        terms: dict[str, list[int]] = defaultdict(list)
        for words, group in self._groups.items():
            for word in words:
                terms[word].append(group)
        ordered = sorted(terms)
        self._terms = ordered
        self._term_groups = [tuple(terms[word]) for word in ordered]
        self._lengths = [len(word) for word in ordered]
        self._masks = [sum(1 << group for group in groups) for groups in self._term_groups]
        gains = [(_need(ready), ruleset.weight(ready.rule)) for ready in self._ready]
        self._gains = tuple((need, gain) for need, gain in gains if need and gain > 0)
        free = zip(self._ready, gains, strict=True)
        self._free = tuple((_sign_of(ready), gain) for ready, (need, gain) in free if not need and gain > 0)
        ambiguous = set(ruleset.lexicon.get("ambiguous", ()))
        self._ambiguous = [word in ambiguous for word in ordered]
        self._automaton = ahocorasick_rs.AhoCorasick(ordered, implementation=ahocorasick_rs.Implementation.DFA)
        policy = ruleset.policy
        self._factors = {"negated": policy.negated_factor, "quoted": policy.quoted_factor, "less": policy.less_factor}
        negators = sorted(ruleset.lexicon.get("negators", ()), key=len, reverse=True)
        self._negator = re.compile("|".join(re.escape(word) for word in negators)) if negators else None

    @property
    def terms(self) -> tuple[str, ...]:
        """Every term of the automaton, folded and sorted."""
        return tuple(self._terms)

    def most(self, text: str) -> float:
        """The gate: the most log-odds that rules could add to the folded text, by its words alone. Never too low."""
        mask, masks = 0, self._masks
        for at in range(0, max(len(text), 1), _CHUNK):
            for term in {hit[0] for hit in self._automaton.find_matches_as_indexes(text[at : at + _CHUNK + 40], overlapping=True)}:
                mask |= masks[term]
        total = sum(gain for sign, gain in self._free if sign.search(text))
        for need, gain in self._gains:
            if mask & need == need:
                total += gain
        return total

    def _group(self, given: tuple[str, ...]) -> int:
        return self._groups.setdefault(tuple(sorted(self.ruleset.terms(given))), len(self._groups))

    def _test(self, clause: Clause) -> _Test:
        blank = _Test("", -1, -1, 0, False, 0.0, frozenset(), None)
        if clause.terms is not None:
            return blank._replace(kind="terms", group=self._group(clause.terms))
        if clause.near is not None:
            near = clause.near
            test = blank._replace(kind="near", group=self._group(near.a), within=near.within, ordered=near.ordered)
            if isinstance(near.b, tuple):
                return test._replace(other=self._group(near.b))
            rate = RATE.fullmatch(near.b)
            return test._replace(kind="near_rate", least=float(rate[1]) / 100) if rate else test._replace(kind="near_contact")
        if clause.rate is not None:
            rate = RATE.fullmatch(clause.rate)
            return blank._replace(kind="rate", least=float(rate[1]) / 100 if rate else 0.0)
        if clause.contact is not None:
            return blank._replace(kind="contact", kinds=frozenset(clause.contact))
        return blank._replace(kind="pattern", group=self._group(clause.gate or ()), pattern=re.compile(clause.pattern or r"(?!)"))

    def groups(self, text: str) -> list[tuple[int, int, int]]:
        """(start, end, group) of every term that stands in the folded text, by start."""
        found: list[tuple[int, int, int]] = []
        for at in range(0, len(text), _CHUNK):
            piece = text if len(text) <= _CHUNK else text[at : at + _CHUNK + 40]
            seen: dict[int, int] = {}
            for term, start, end in self._automaton.find_matches_as_indexes(piece, overlapping=True):
                if start >= _CHUNK:
                    continue
                if len(text) > _CHUNK:
                    seen[term] = seen.get(term, 0) + 1
                    if seen[term] > 2000:
                        continue
                if self._ambiguous[term] and not stands_alone(text, at + start, at + end):
                    continue
                found.extend((at + start, at + end, group) for group in self._term_groups[term])
        found.sort(key=lambda hit: (hit[0], -hit[1], hit[2]))  # the longest of several terms at one place speaks
        return found

    def match(self, reading: Reading, *, spans: Sequence[Span] | None = None) -> list[tuple[Span, list[Found]]]:
        """(window, rules found there) for every window in which something was found; windows of the text without `spans`."""
        found = self.groups(reading.text)
        if not found and not (self._ungated and any(c.isdigit() for c in reading.text[:2000])):
            return []
        result = []
        for window in (spans or windows(reading.text))[:_MOST_WINDOWS]:
            hits: Hits = defaultdict(list)
            for start, end, group in _inside(found, window):
                if len(hits[group]) < _MOST_SPANS:
                    hits[group].append((start, end))
            rules = self._rules(hits, window, reading)
            if rules:
                result.append((window, rules))
        return result

    def _rules(self, hits: Hits, window: Span, reading: Reading) -> list[Found]:
        places = {place for group in hits for place in self._by_group.get(group, ())}
        result = []
        for place in sorted([*places, *self._ungated]):
            ready = self._ready[place]
            spans: list[Span] = []
            for test in ready.tests:
                span = self._ask(test, hits, window, reading)
                if span is None:
                    break
                spans += span
            else:
                result.append(self._weigh(ready, spans, hits, window, reading))
        return result

    def _ask(self, test: _Test, hits: Hits, window: Span, reading: Reading) -> list[Span] | None:
        """The spans that fulfil one clause, the most telling first; None where it is not fulfilled."""
        if test.group >= 0 and not hits.get(test.group):
            return None
        if test.kind == "terms":
            return [self._plainest(hits[test.group], reading)]
        if test.kind == "near":
            return _pair(hits[test.group], hits.get(test.other, ()), test)
        if test.kind in ("rate", "near_rate"):
            fit = [(r.start, r.end) for r in reading.rates if r.high >= test.least and window[0] <= r.start < window[1]]
            return (fit[:1] or None) if test.kind == "rate" else _pair(hits[test.group], fit, test)
        if test.kind in ("contact", "near_contact"):
            fit = [
                (c.start, c.end)
                for c in reading.contacts
                if window[0] <= c.start < window[1] and (not test.kinds or "any" in test.kinds or c.kind in test.kinds)
            ]
            return (fit[:1] or None) if test.kind == "contact" else _pair(hits[test.group], fit, test)
        m = test.pattern.search(reading.text, window[0], window[1]) if test.pattern else None
        return [m.span()] if m else None

    def _plainest(self, spans: Sequence[Span], reading: Reading) -> Span:
        """The first one that is neither negated nor quoted, else the first."""
        if len(spans) == 1:
            return spans[0]
        return next((span for span in spans[:8] if not self._held(span, reading)), spans[0])

    def _held(self, span: Span, reading: Reading) -> str:
        """negated, quoted or nothing: how the text itself holds these words at a distance."""
        if self._negator is not None:
            before = reading.text[max(0, span[0] - 12) : span[0]]
            cut = [m.end() for m in _SENTENCE_STOP.finditer(before)]
            if self._negator.search(before[cut[-1] :] if cut else before):
                return "negated"
        if any(start <= span[0] and span[1] <= end for start, end in reading.quotes):
            return "quoted"
        return ""

    def _weigh(self, ready: _Ready, spans: list[Span], hits: Hits, window: Span, reading: Reading) -> Found:
        kept = tuple(dict.fromkeys(spans))
        if ready.rule.family in ("excuses", "signs"):
            return Found(ready.rule, kept, 1.0)
        strength, note = 1.0, ""
        held = {self._held(span, reading) for span in kept}
        for kind in ("negated", "quoted"):
            if kind in held:
                strength, note = strength * self._factors[kind], note or kind
        if any(self._ask(test, hits, window, reading) is not None for test in ready.less):
            strength, note = strength * self._factors["less"], note or "less"
        return Found(ready.rule, kept, strength, note)


def _need(ready: _Ready) -> int:
    """Bits of the groups without which the rule cannot match; 0 for a rule of rates and contacts alone."""
    need = 0
    for test in ready.tests:
        for group in (test.group, test.other):
            if group >= 0:
                need |= 1 << group
    return need


def _sign_of(ready: _Ready) -> re.Pattern[str]:
    """The sign without which a rule of rates or contacts alone cannot match."""
    test = ready.tests[0]
    if test.kind == "rate":
        return _RATE_SIGN
    return _CHAT_SIGN if test.kinds and test.kinds <= {"wechat", "qq", "group"} else _CONTACT_SIGN


def _inside(found: list[tuple[int, int, int]], window: Span) -> list[tuple[int, int, int]]:
    """Those that begin in the window; `found` is sorted."""
    return found[bisect_left(found, (window[0],)) : bisect_left(found, (window[1],))]


def _pair(left: Sequence[Span], right: Sequence[Span], test: _Test) -> list[Span] | None:
    """The closest pair that keeps the distance and the order."""
    best: tuple[int, Span, Span] | None = None
    for a in left[:_MOST_SPANS]:
        for b in right:
            gap = max(b[0] - a[1], a[0] - b[1], 0)
            if gap <= test.within and not (test.ordered and b[0] < a[1]) and (best is None or gap < best[0]) and a != b:
                best = (gap, a, b)
    return [best[1], best[2]] if best else None
