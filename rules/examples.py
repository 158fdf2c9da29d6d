"""The examples of every rule, for tests and for `wangxun rules test`. The caller gives the judge: rules know no classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from rules.loader import RuleSet

HIT_AT = 0.9
"""A hit example must match at least this strongly, 0-1."""
MISS_AT = 0.5
"""A miss example may match at most this strongly: held down by negation, quotation or `less`."""


@dataclass(frozen=True, slots=True)
class Example:
    rule: str
    kind: str
    """hit or miss."""
    text: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    example: Example
    strength: float

    def __str__(self) -> str:
        wanted = f"at least {HIT_AT}" if self.example.kind == "hit" else f"at most {MISS_AT}"
        return f"{self.example.rule}: {self.example.kind} example matches at {self.strength:.2f}, wanted {wanted}: {self.example.text}"


def examples(ruleset: RuleSet) -> list[Example]:
    """All of them, hits before misses, in the order of the rules."""
    result = []
    for rule in ruleset.rules:
        result += [Example(rule.id, "hit", hit.text) for hit in rule.examples.hit]
        result += [Example(rule.id, "miss", miss.text, miss.why) for miss in rule.examples.miss]
    return result


def tried(ruleset: RuleSet) -> RuleSet:
    """The set with drafts and retired rules in the background: not matched in the patrol, but their examples must hold too."""
    resting = ("draft", "retired")
    rules = (rule.model_copy(update={"status": "background"}) if rule.status in resting else rule for rule in ruleset.rules)
    return replace(ruleset, rules=tuple(rules))


def run(given: Iterable[Example], strengths: Callable[[str], Mapping[str, float]]) -> Iterator[Failure | None]:
    """For each example, in order, None where it behaves. `strengths` gives how strongly each rule matches a text (absent: not at all)."""
    for example in given:
        strength = strengths(example.text).get(example.rule, 0.0)
        wrong = strength < HIT_AT if example.kind == "hit" else strength > MISS_AT
        yield Failure(example, strength) if wrong else None
