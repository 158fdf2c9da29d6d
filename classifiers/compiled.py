"""Rules compiled: every term once, in one automaton, and for each rule the conditions that are asked where its terms stand."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import ahocorasick_rs

from rules.loader import RuleSet
from rules.schema import RATE, Clause, Rule


class Test(NamedTuple):
    """A clause ready to be asked. `group`, `other`: numbers of groups of terms, -1 for none."""

    kind: str
    """terms, near, near_rate, near_contact, rate, contact or pattern."""
    group: int = -1
    other: int = -1
    within: int = 0
    ordered: bool = False
    least: float = 0.0
    kinds: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None
    sum: int = 0

    @property
    def reads(self) -> str:
        """rates, contacts or sums, where the clause needs them; empty where words tell."""
        if self.kind in ("rate", "near_rate"):
            return "rates"
        return "contacts" if self.kind in ("contact", "near_contact") else "sums" if self.sum else ""


class Ready(NamedTuple):
    """A rule with its clauses."""

    rule: Rule
    tests: tuple[Test, ...]
    less: tuple[Test, ...]
    needs: tuple[int, ...]
    """Groups of which each must stand in the text."""
    mask: int
    """The same, a bit a group."""


class Lexicon:
    """The terms of some rules. Two groups of one set of terms are one group."""

    def __init__(self, ruleset: RuleSet, rules: Sequence[Rule]) -> None:
        self._ruleset = ruleset
        self._groups: dict[tuple[str, ...], int] = {}
        self._folded: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.rules = tuple(self._ready(rule) for rule in rules)
        self.negators = self._group(("@negators",)) if ruleset.lexicon.get("negators") else -1
        terms: dict[str, list[int]] = defaultdict(list)
        for words, group in self._groups.items():
            for word in words:
                terms[word].append(group)
        self.terms = tuple(sorted(terms))
        """Folded and sorted; a term's number is its place."""
        self.groups_of = tuple(tuple(terms[word]) for word in self.terms)
        self.masks = tuple(sum(1 << group for group in groups) for groups in self.groups_of)
        """For each term the groups that it is of, a bit a group."""
        self.size = len(self._groups)
        ambiguous = set(ruleset.lexicon.get("ambiguous", ()))
        self.ambiguous = tuple(word in ambiguous for word in self.terms)
        # A text is looked at by itself here, after much else: the table form is twice as large as the cache and twice as slow then.
        self.automaton = ahocorasick_rs.AhoCorasick(list(self.terms), implementation=ahocorasick_rs.Implementation.ContiguousNFA)

    def _ready(self, rule: Rule) -> Ready:
        tests = tuple(self._test(clause) for clause in rule.match.all)
        less = tuple(self._test(clause) for clause in rule.match.less)
        needs = dict.fromkeys(group for test in tests for group in (test.group, test.other) if group >= 0)
        return Ready(rule, tests, less, tuple(needs), sum(1 << group for group in needs))

    def _group(self, given: tuple[str, ...]) -> int:
        if given not in self._folded:
            self._folded[given] = tuple(sorted(self._ruleset.terms(given)))
        return self._groups.setdefault(self._folded[given], len(self._groups))

    def _test(self, clause: Clause) -> Test:
        if clause.terms is not None:
            return Test("terms", self._group(clause.terms))
        if clause.near is not None:
            near = clause.near
            test = Test("near", self._group(near.a), within=near.within, ordered=near.ordered)
            if isinstance(near.b, tuple):
                return test._replace(other=self._group(near.b))
            rate = RATE.fullmatch(near.b)
            return test._replace(kind="near_rate", least=float(rate[1]) / 100) if rate else test._replace(kind="near_contact")
        if clause.rate is not None:
            rate = RATE.fullmatch(clause.rate)
            return Test("rate", least=float(rate[1]) / 100 if rate else 0.0)
        if clause.contact is not None:
            return Test("contact", kinds=frozenset(clause.contact) - {"any"})
        return Test("pattern", self._group(clause.gate or ()), pattern=re.compile(clause.pattern or r"(?!)"), sum=clause.sum or 0)
