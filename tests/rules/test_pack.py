"""The packaged pack: whole, covering, and worded as the law wants it."""

from __future__ import annotations

from collections import Counter

from rules.lint import NEED_BASIS, check
from rules.loader import load

RULESET = load()


def test_pack_has_no_faults() -> None:
    assert check() == []


def test_pack_knows_all_25_schemes_and_has_a_rule_for_each() -> None:
    used = {rule.scheme for rule in RULESET.rules if rule.family in NEED_BASIS}
    assert len(RULESET.schemes) == 26  # number 6 of the list, 元宇宙 and 数字藏品, has a slug for each
    assert used >= set(RULESET.schemes)


def test_pack_is_large_enough() -> None:
    families = Counter(rule.family for rule in RULESET.rules)
    assert sum(families.values()) >= 60
    assert min(families[name] for name in ("illegal_fundraising", "illegal_finance", "ad_law", "signs", "excuses")) >= 5


def test_excuses_never_raise_and_the_others_never_lower() -> None:
    for rule in RULESET.rules:
        weight = RULESET.weight(rule)
        assert weight <= 0 if rule.excuse else weight >= 0, rule.id


def test_no_excuse_outweighs_what_two_heavy_rules_add() -> None:
    heaviest = sorted(RULESET.weight(rule) for rule in RULESET.rules)
    assert -heaviest[0] < heaviest[-1] + heaviest[-2]


def test_background_rule_weighs_nothing() -> None:
    rule = RULESET.rules[0].model_copy(update={"status": "background"})
    assert RULESET.weight(rule) == 0.0


def test_digest_names_the_pack() -> None:
    name, _, digest = RULESET.digest.partition("@")
    assert name == "wangxun" and len(digest) == 12
