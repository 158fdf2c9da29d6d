"""Keyword patrol: which words are searched for. Terms of the live rules x place names x time windows, rotated by what they bring.

The rotation is Thompson sampling over hits a request: each query is drawn by a value from its Gamma belief, whose prior is the yield of
its term, whose prior in turn is that of all and of the term's severity; so one good query lifts its neighbours, and a new one begins
as its term stands. A fifth of every draw goes to those that waited longest, so that none starves. Nothing is asked twice within the
time that it searches back. Names of persons are never asked for: an ad is looked for, not a citizen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import numpy as np

from patrol.schedule_rates import Floats
from rules.loader import RuleSet
from rules.schema import Rule

FAMILIES = ("illegal_fundraising", "illegal_finance")
SEVERITY = {"low": 1, "medium": 2, "high": 3, "critical": 4}
EACH = 5
"""Queries that one visit of a search asks: few, so that a burst of one term is soon asked for again."""
FLOOR = 0.2
TERMS = 600
"""Of all rules together: some three of each."""
PAIRS = 3
"""Of each side of two words that a rule wants near each other: the first stand for the rest."""
ANY_TIME_H = 168
"""A query without a time window is not repeated within a week."""
SPANS_H = (24, 168)
"""Windows asked for where a platform's address takes one ({since_s}, {until_s}): the last day, the last week."""
PRIOR_REQUESTS = 30.0
"""Requests that the yield of a term is worth for a query of it."""
PLAIN = re.compile(r"^[\u4e00-\u9fffA-Za-z0-9%+]{2,12}$")
PERSON = re.compile(r"(?:先生|女士|老师|老总|总监|经理|主任|教授|专家|大姐|大哥|阿姨|叔叔|小姐姐)$|^[\u4e00-\u9fff](?:某|总|姐|哥)")
"""Words that speak of one person."""
_SEPARATORS = re.compile(r"[,，、;；\s]+")


def place_names(given: str) -> tuple[str, ...]:
    """The names in the setting `places`, in order, each once."""
    return tuple(dict.fromkeys(name for name in _SEPARATORS.split(given.strip()) if name))


def terms_of(rule: Rule, ruleset: RuleSet) -> list[str]:
    """What can be searched for of one rule: its own terms of three characters or more, and pairs that it wants near each other."""
    found: list[str] = []
    for clause in rule.match.all:
        if clause.terms is not None:
            found += [term for term in ruleset.terms(clause.terms) if len(term) >= 3]
        elif clause.near is not None and not isinstance(clause.near.b, str):
            sides = ruleset.terms(clause.near.a)[:PAIRS], ruleset.terms(clause.near.b)[:PAIRS]
            found += [f"{one} {other}" for one, other in product(*sides) if one != other]
    return list(dict.fromkeys(term for term in found if _searchable(term)))


def _searchable(term: str) -> bool:
    return all(PLAIN.match(part) and not PERSON.search(part) for part in term.split()) and not re.fullmatch(r"[\d%+ ]+", term)


def pool(ruleset: RuleSet, *, places: Sequence[str], brought: Mapping[str, int], spans_h: Sequence[int]) -> list[dict[str, Any]]:
    """Every query of the rotation: `{"text", "term", "place", "span_h", "severity"}`.

    Terms come in turn from rules that rank by severity and by the hits that they brought (`brought`), so that no rule fills the list.
    """
    rules = [rule for rule in ruleset.rules if rule.status == "live" and rule.family in FAMILIES]
    rules.sort(key=lambda rule: (-_rank(rule) * (1.0 + np.log1p(brought.get(rule.id, 0))), rule.id))
    queues = [(rule, terms_of(rule, ruleset)) for rule in rules]
    chosen: dict[str, int] = {}
    for turn in range(max((len(terms) for _, terms in queues), default=0)):
        for rule, terms in queues:
            if turn < len(terms) and len(chosen) < TERMS:
                chosen.setdefault(terms[turn], SEVERITY[rule.severity])
    return [
        {"text": f"{place} {term}".strip(), "term": term, "place": place, "span_h": span, "severity": severity}
        for (term, severity), place, span in product(chosen.items(), places or ("",), spans_h or (0,))
    ]


def _rank(rule: Rule) -> float:
    """By severity, and the fundraising that the patrol is for before other unlawful finance."""
    return SEVERITY[rule.severity] * (2.0 if rule.family == FAMILIES[0] else 1.0)


def repeat_after(span_h: int) -> timedelta:
    """How long a query is not asked again."""
    return timedelta(hours=span_h or ANY_TIME_H)


def draw(rows: Sequence[Mapping[str, Any]], *, count: int, now: datetime, generator: np.random.Generator) -> list[Mapping[str, Any]]:
    """Up to `count` queries to ask now, of rows of `queries`. One that was asked in a future that the clock took back may go."""
    free = [
        row for row in rows
        if row["last_at"] is None or row["last_at"] > now + timedelta(hours=1) or now - row["last_at"] >= repeat_after(row["span_h"])
    ]  # fmt: skip
    if not free:
        return []
    floor = max(1, round(FLOOR * count))
    waited = sorted(free, key=lambda row: (row["last_at"] is not None, row["last_at"] or now, -row["severity"], row["id"]))
    values = sample(free, rows, generator=generator)
    best = [free[index] for index in np.argsort(-values, kind="stable")]
    chosen: dict[str, Mapping[str, Any]] = {}  # by its words: another window of the same would bring the same
    for ranked, most in ((waited, floor), (best, count)):
        for row in ranked:
            if len(chosen) >= min(most, count):
                break
            chosen.setdefault(row["text"], row)
    return list(chosen.values())


def sample(rows: Sequence[Mapping[str, Any]], every: Sequence[Mapping[str, Any]], *, generator: np.random.Generator) -> Floats:
    """One value of hits a request from the belief about each of `rows`; `every` is the whole rotation, for the priors."""
    hits, requests = sum(row["hits"] for row in every), sum(row["requests"] for row in every)
    overall = (hits + 1.0) / (requests + 20.0)
    terms: dict[str, list[float]] = {}
    for row in every:
        sums = terms.setdefault(row["term"], [0.0, 0.0])
        sums[0], sums[1] = sums[0] + row["hits"], sums[1] + row["requests"]
    shape = np.empty(len(rows))
    rate = np.empty(len(rows))
    for index, row in enumerate(rows):
        sums = terms[row["term"]]
        expected = overall * row["severity"] / 2.0
        term = (sums[0] + expected * PRIOR_REQUESTS) / (sums[1] + PRIOR_REQUESTS)
        shape[index] = row["hits"] + max(term * PRIOR_REQUESTS, 1e-3)
        rate[index] = row["requests"] + PRIOR_REQUESTS
    return np.asarray(generator.gamma(shape) / rate)
