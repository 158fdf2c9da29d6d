"""What the pack must cover: enough rules, every scheme shown from both sides, every reason on an article."""

from __future__ import annotations

import pytest

from rules.lint import NEED_BASIS
from rules.loader import load
from rules.schema import FAMILIES, Rule

RULESET = load()
LIVE = [rule for rule in RULESET.rules if rule.status == "live"]
LEAST_RULES, LEAST_EXAMPLES = 150, 6


def _of(scheme: str) -> list[Rule]:
    """Live rules that give a reason for `scheme`; signs only tell the field."""
    return [rule for rule in LIVE if rule.scheme == scheme and rule.family in NEED_BASIS]


def test_at_least_150_rules_are_live() -> None:
    assert len(LIVE) >= LEAST_RULES


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_live_rules(family: str) -> None:
    assert sum(rule.family == family for rule in LIVE) >= 10


@pytest.mark.parametrize("scheme", sorted(RULESET.schemes))
def test_every_scheme_has_live_rules(scheme: str) -> None:
    assert len(_of(scheme)) >= 2


@pytest.mark.parametrize("scheme", sorted(RULESET.schemes))
def test_every_scheme_is_shown_by_six_hits_and_six_misses(scheme: str) -> None:
    hits = {hit.text for rule in _of(scheme) for hit in rule.examples.hit}
    misses = {miss.text: miss.why for rule in _of(scheme) for miss in rule.examples.miss}
    assert len(hits) >= LEAST_EXAMPLES
    assert len(misses) >= LEAST_EXAMPLES
    assert all(misses.values())


@pytest.mark.parametrize("rule", [rule for rule in RULESET.rules if rule.family not in ("signs", "excuses")], ids=lambda rule: rule.id)
def test_every_reason_stands_on_an_article(rule: Rule) -> None:
    assert rule.basis


def test_every_reason_for_a_scheme_names_a_feature() -> None:
    assert [rule.id for rule in LIVE if rule.scheme and rule.family == "illegal_fundraising" and not rule.features] == []


@pytest.mark.parametrize("scheme", sorted(RULESET.schemes))
def test_every_scheme_names_a_body_that_the_notice_names(scheme: str) -> None:
    lead = RULESET.schemes[scheme].authorities[0]
    assert RULESET.authorities[lead].named_by_notice


def test_no_excuse_alone_outweighs_every_rule() -> None:
    heaviest = max(RULESET.weight(rule) for rule in LIVE)
    assert all(-RULESET.weight(rule) <= heaviest + 1.0 for rule in LIVE if rule.excuse)


@pytest.mark.parametrize("code", ["ZH7", "ZH38", "ZH39", "ZH40", "ZH44", "FDC2", "FDC10", "FDC14", "FDC23"])
def test_codes_of_the_domain_are_given_by_some_rule(code: str) -> None:
    assert any(code in rule.codes for rule in LIVE)
