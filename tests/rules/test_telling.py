"""A rule in plain Chinese, and the skeleton of a new one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rules import telling
from rules.lint import check
from rules.loader import PACKAGED, load
from rules.schema import FAMILIES, MatchSpec
from rules.skeleton import skeleton

RULESET = load()


def _told(**clause: object) -> telling.Condition:
    spec = MatchSpec.model_validate({"all": [clause]})
    rule = RULESET.rules[0].model_copy(update={"match": spec})
    return telling.conditions(rule, RULESET)[0]


@pytest.mark.parametrize(
    ("clause", "text"),
    [
        ({"terms": ["保本"]}, "出现其中任一词"),
        ({"near": {"a": ["年化"], "b": ["返还"], "within": 6}}, "甲组与乙组各有一词，相隔不超过 6 个字"),
        ({"near": {"a": ["存"], "b": "rate>=8%/y", "within": 6, "ordered": True}},
         "有其中一词，6 个字以内写着折成年化不低于 8% 的回报率，且前者在先"),
        ({"near": {"a": ["咨询"], "b": "contact", "within": 9}}, "有其中一词，9 个字以内写着联系方式"),
        ({"rate": "rate>=24%/y"}, "写明的回报率折成年化不低于 24%"),
        ({"contact": ["phone", "wechat"]}, "留有联系方式：电话、微信"),
        ({"pattern": "保.本", "gate": ["保"]}, "出现其中任一词，且上下文合于一种写法（正则表达式）"),
    ],
)  # fmt: skip
def test_each_kind_of_condition_is_a_sentence(clause: dict[str, object], text: str) -> None:
    assert _told(**clause).text == text


def test_a_list_is_named_with_its_terms() -> None:
    name = next(iter(RULESET.lexicon))
    (group,) = _told(terms=["保本", f"@{name}"]).groups
    assert group.words == ("保本",)
    assert group.lists == ((name, RULESET.lexicon[name]),)


def test_every_rule_of_the_pack_can_be_told() -> None:
    for rule in RULESET.rules:
        assert all(condition.text for condition in telling.conditions(rule, RULESET) + telling.lessening(rule, RULESET))
        assert len(telling.articles(rule, RULESET)) == len(rule.basis)
        assert rule.family in telling.FAMILIES and rule.severity in telling.SEVERITIES


@pytest.mark.parametrize("family", FAMILIES)
def test_a_skeleton_is_a_draft_without_a_fault(family: str, tmp_path: Path) -> None:
    shutil.copytree(PACKAGED, tmp_path / "pack")
    (tmp_path / "pack" / family / "brand_new.yml").write_text(skeleton("brand_new", family=family), encoding="utf-8")
    assert check(tmp_path / "pack") == []
    assert load(tmp_path / "pack").rule(f"{family}.brand_new").status == "draft"
