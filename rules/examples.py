"""The examples of every rule, for tests and for `wangxun rules test`. The caller gives the judge: rules know no classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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


def run(ruleset: RuleSet, strengths: Callable[[str], Mapping[str, float]]) -> list[Failure]:
    """Examples that do not behave. `strengths` gives, for a text, how strongly each rule matches (absent: not at all)."""
    failures = []
    for example in examples(ruleset):
        strength = strengths(example.text).get(example.rule, 0.0)
        if (example.kind == "hit" and strength < HIT_AT) or (example.kind == "miss" and strength > MISS_AT):
            failures.append(Failure(example, strength))
    return failures
