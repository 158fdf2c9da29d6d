"""The daily cap of each rule, and what a text would be without the rules that passed theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from classifiers.fusion import Judge
from classifiers.keyword import NAME, KeywordClassifier
from domain.model import Assessment, Document, Level, Opinion
from rules.loader import RuleSet
from rules.schema import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCaps:
    """What the store asks of the rules while it keeps one batch."""

    judge: Judge
    documents: Mapping[int, Document]
    """By posting id."""
    results: Mapping[int, Assessment]

    def cap(self, rule: str) -> int | None:
        """See cap_of; None for a rule that the pack does not hold."""
        known = _rules(self.judge).get(rule)
        return cap_of(self.judge.ruleset, known) if known else None

    def title(self, rule: str) -> str:
        known = _rules(self.judge).get(rule)
        return known.title if known else rule

    def without(self, posting_id: int, rules: frozenset[str]) -> Level:
        """Judged by the rules once more, these on trial; what the other classifiers said stands."""
        (opinion,) = _without(self.judge, rules).judge([self.documents[posting_id]])
        others = [Opinion(score=score) for score in self.results[posting_id].scores if score.classifier != NAME]
        return self.judge.assess([opinion, *others]).level


def cap_of(ruleset: RuleSet, rule: Rule) -> int | None:
    """Hits a day after which `rule` alone opens no more: its own figure, else that of policy.yml.

    Signs and excuses give no reason of their own and have none, unless their file says so.
    """
    if rule.daily_cap is not None:
        return rule.daily_cap
    return None if rule.family in ("signs", "excuses") else ruleset.policy.daily_cap


@lru_cache(maxsize=4)
def _rules(judge: Judge) -> dict[str, Rule]:
    return {rule.id: rule for rule in judge.ruleset.rules}


@lru_cache(maxsize=32)
def _without(judge: Judge, rules: frozenset[str]) -> KeywordClassifier:
    """The rules with some on trial. Made in some 30 ms, and asked only on the day of a flood."""
    ruleset = judge.ruleset
    tried = (rule.model_copy(update={"status": "background"}) if rule.id in rules else rule for rule in ruleset.rules)
    return KeywordClassifier(replace(ruleset, rules=tuple(tried)))
