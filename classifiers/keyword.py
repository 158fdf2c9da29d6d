"""The first judge: rules over folded text. Cheap enough to see everything, and every point of its score has a reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from classifiers.base import sigmoid
from classifiers.matcher import Found, Matcher
from classifiers.reading import Reading
from classifiers.sieve import Sieve
from classifiers.windows import WHOLE, paragraphs, windows
from domain.model import Contact, Document, Feature, Match, Opinion, Score
from domain.rates import Rate
from domain.text import Batch, Folded, fold, fold_all
from rules.loader import RuleSet

NAME = "keyword"
LONG, SHORT = 400, 25
"""Characters beyond and under which a text's length itself says something; the weights are fitted."""
SILENT = 0.02
"""Score of a text in which nothing speaks for suspicion. Fixed: of such texts nothing but their rarity among promos is known."""
BATCH = 1024
"""Texts that go through the fold and the gate together."""
SPEAKS = 0.2
"""Log-odds that rules and signs must add before a text is scored at all: below it stands a single word that every shop uses. What is bare,
a rate or a contact without a word, does not count here: it is never the only ground."""


@dataclass(frozen=True, slots=True)
class View:
    """What one part of a text shows to the rules: rule id to strength, 0-1. `facts` feed the score, `found` the reasons."""

    facts: dict[str, float]
    found: tuple[Found, ...]
    span: tuple[int, int]
    length: int
    """Characters of the whole text, folded."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that `rules explain` shows of one text. All offsets in the original."""

    folded: Folded
    score: float
    matches: tuple[Match, ...]
    rates: tuple[Rate, ...]
    contacts: tuple[Contact, ...]
    notes: tuple[tuple[str, str], ...]
    """(rule id, negated | quoted | less) for what counts less than in full."""


class KeywordClassifier:
    """Opinions from a rule set. Score: sigmoid of the summed log-odds of the strongest window."""

    name = NAME

    def __init__(self, ruleset: RuleSet) -> None:
        self.ruleset = ruleset
        self.version = ruleset.digest
        self._weights = {rule.id: ruleset.weight(rule) for rule in ruleset.scored}
        # A sign or an excuse of no weight can change nothing that anybody sees.
        mute = ("signs", "excuses")
        speaking = [r for r in ruleset.scored if self._weights[r.id] or r.status == "background" or r.family not in mute]
        self.matcher = Matcher(ruleset, speaking)
        self._first = {r.id: self._weights[r.id] for r in ruleset.scored if self._weights[r.id] > 0 and not r.bare}
        self.sieve = Sieve(self.matcher.lexicon, self._first, floor=SPEAKS)
        self._excuses = frozenset(rule.id for rule in ruleset.scored if rule.excuse)
        self.silent = Opinion(score=Score(classifier=NAME, version=self.version, value=SILENT))
        """The very object that stands for every text in which nothing speaks."""

    def judge(self, documents: Sequence[Document]) -> list[Opinion]:
        """One Opinion a document, in order; offsets in characters of its `text`."""
        found: list[Opinion] = []
        for at in range(0, len(documents), BATCH):
            texts = [document.text for document in documents[at : at + BATCH]]
            found += self.of_folded(texts, fold_all(texts))
        return found

    def of_folded(self, texts: Sequence[str], folded: Sequence[Folded]) -> list[Opinion]:
        """One Opinion a text, in order; `folded[i]` is the fold of `texts[i]`."""
        flat = folded.texts if isinstance(folded, Batch) else [one.text for one in folded]
        passing = self.sieve.passing(flat).tolist()
        return [self.closely(folded[number], texts[number]) if passes else self.silent for number, passes in enumerate(passing)]

    @cached_property
    def _whole(self) -> Matcher:
        """A matcher of every scored rule, those of no weight too."""
        return Matcher(self.ruleset, self.ruleset.scored)

    def views(self, folded: Folded, *, mute: bool = True) -> list[View]:
        """What the rules see: every window, and the whole where it is short enough. Empty where no rule is touched.

        Without `mute` only the rules that can change an opinion are asked.
        """
        reading = Reading(folded.text)
        size = len(folded.text)
        spans = windows(folded.text)
        if len(spans) > 1:
            whole = [(0, size)] if size <= WHOLE else []
            spans = list(dict.fromkeys([*whole, *spans, *paragraphs(folded.text)]))
        matched = (self._whole if mute else self.matcher).match(reading, spans=spans)
        outside: dict[str, float] = {}
        if len(spans) > 1:
            factor = self.ruleset.policy.outside_factor
            outside = {found.rule.id: factor for _, rules in matched for found in rules if found.rule.excuse}
        result = []
        for span, rules in matched:
            facts = dict(outside)
            for found in rules:
                facts[found.rule.id] = max(found.strength, 0.0 if found.rule.excuse else facts.get(found.rule.id, 0.0))
            result.append(View(facts, tuple(rules), span, size))
        return result

    def log_odds(self, view: View) -> float:
        """The summed weights of one view, intercept and length included."""
        weights = self.ruleset.weights
        total = weights.intercept + (weights.long_text if view.length > LONG else weights.short_text if view.length < SHORT else 0.0)
        return total + sum(self._weights.get(rule, 0.0) * strength for rule, strength in view.facts.items())

    def strengths(self, text: str) -> dict[str, float]:
        """Rule id to how strongly it matches anywhere in `text`, 0-1: what the examples of the rules are tested with."""
        result: dict[str, float] = {}
        for view in self.views(fold(text)):
            for found in view.found:
                result[found.rule.id] = max(result.get(found.rule.id, 0.0), found.strength)
        return result

    def explain(self, text: str) -> Explanation:
        """All that stands behind the score of `text`."""
        folded = fold(text)
        views = self.views(folded, mute=False)
        best = max(views, key=self.log_odds, default=None)
        reading = Reading(folded.text)
        return Explanation(
            folded=folded,
            score=self.closely(folded, text).score.value,
            matches=self._matches(best, folded, text) if best else (),
            rates=tuple(_moved_rate(rate, folded) for rate in reading.rates),
            contacts=tuple(_moved_contact(contact, folded) for contact in reading.contacts),
            notes=tuple((found.rule.id, found.note) for found in best.found if found.note) if best else (),
        )

    def closely(self, folded: Folded, text: str) -> Opinion:
        """The opinion of one text, whatever the gate says of it."""
        views = self.views(folded, mute=False)
        if not views:
            return self.silent
        best = max(views, key=self.log_odds)
        gain = sum(self._first.get(found.rule.id, 0.0) * found.strength for found in best.found)
        value = sigmoid(self.log_odds(best)) if gain >= SPEAKS else SILENT
        matches = self._matches(best, folded, text)
        return Opinion(
            score=Score(classifier=NAME, version=self.version, value=round(value, 6)),
            matches=matches,
            schemes=self._schemes(best),
            features=self._features(best),
            spans=(folded.span(*best.span),),
        )

    def _matches(self, view: View, folded: Folded, text: str) -> tuple[Match, ...]:
        result = []
        for found in view.found:
            weight = round(self._weights.get(found.rule.id, 0.0) * found.strength, 4)
            for start, end in found.spans:
                first, last = folded.span(start, end)
                deep = folded.text[start:end] if folded.kinds(start, end) else ""
                result.append(Match(rule=found.rule.id, start=first, end=last, weight=weight, text=text[first:last], fold=deep))
        return tuple(sorted(result, key=lambda match: (match.start, match.end, match.rule)))

    def _schemes(self, view: View) -> tuple[tuple[str, float], ...]:
        totals: dict[str, float] = {}
        for found in view.found:
            if found.rule.scheme and not found.rule.excuse:
                # A sign only tells the field; a rule tells the scheme. A fitted weight of 0 says redundant, not unrelated.
                least = {"low": 0.3, "medium": 0.6, "high": 1.2, "critical": 1.8}[found.rule.severity]
                gain = 0.2 if found.rule.family == "signs" else max(self._weights.get(found.rule.id, 0.0), least) * found.strength
                totals[found.rule.scheme] = totals.get(found.rule.scheme, 0.0) + gain
        ranked = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
        return tuple((slug, round(1.0 - math.exp(-total), 4)) for slug, total in ranked)

    def _features(self, view: View) -> tuple[Feature, ...]:
        shown = {f for found in view.found if not found.rule.excuse and found.strength >= 0.5 for f in found.rule.features}
        return tuple(feature for feature in Feature if feature in shown)


def _moved_rate(rate: Rate, folded: Folded) -> Rate:
    start, end = folded.span(rate.start, rate.end)
    return replace(rate, start=start, end=end)


def _moved_contact(contact: Contact, folded: Folded) -> Contact:
    start, end = folded.span(contact.start, contact.end)
    return Contact(kind=contact.kind, value=contact.value, start=start, end=end)
