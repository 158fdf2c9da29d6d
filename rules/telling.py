"""A rule in plain Chinese: what it looks for, on which article it rests. For officers, in the terminal and on the pages."""

from __future__ import annotations

from dataclasses import dataclass

from domain import contacts
from rules.loader import RuleSet
from rules.schema import RATE, Clause, Rule

FAMILIES = {
    "illegal_fundraising": "涉嫌非法集资宣传",
    "illegal_finance": "其他涉嫌非法金融活动",
    "ad_law": "广告法上的缺陷",
    "signs": "招揽旁证",
    "excuses": "减轻因素",
}
SEVERITIES = {"low": "低", "medium": "中", "high": "高", "critical": "特高"}
CONTACTS = {**contacts.NAMES, "any": "任何联系方式"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One group of words, of which any will do."""

    label: str
    """What to call the group where a condition has two; empty where it has one."""
    words: tuple[str, ...]
    """As the file writes them."""
    lists: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(name, terms) of each lexicon list that belongs to the group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition of a rule: a sentence, and the words that it speaks of."""

    text: str
    groups: tuple[Words, ...] = ()
    pattern: str = ""
    """A regular expression, for those who read them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    label: str
    gist: str


def conditions(rule: Rule, ruleset: RuleSet) -> list[Condition]:
    """What must stand in one part of the text, all of it."""
    return [_said(clause, ruleset) for clause in rule.match.all]


def lessening(rule: Rule, ruleset: RuleSet) -> list[Condition]:
    """What lowers the weight where it stands there too."""
    return [_said(clause, ruleset) for clause in rule.match.less]


def articles(rule: Rule, ruleset: RuleSet) -> list[Article]:
    """The articles that it rests on, with what they say in our words."""
    known = [ruleset.statutes[article] for article in rule.basis if article in ruleset.statutes]
    return [Article(label=statute.label, gist=statute.gist) for statute in known]


def scheme_name(rule: Rule, ruleset: RuleSet) -> str:
    """The Chinese name of its scheme; empty where it belongs to none."""
    scheme = ruleset.schemes.get(rule.scheme or "")
    return scheme.name if scheme else ""


def _said(clause: Clause, ruleset: RuleSet) -> Condition:
    if clause.terms is not None:
        return Condition(text="出现其中任一词", groups=(_words("", clause.terms, ruleset),))
    if clause.near is not None:
        near, order = clause.near, "，且前者在先" if clause.near.ordered else ""
        first = _words("甲组", near.a, ruleset)
        if isinstance(near.b, tuple):
            text = f"甲组与乙组各有一词，相隔不超过 {near.within} 个字{order}"
            return Condition(text=text, groups=(first, _words("乙组", near.b, ruleset)))
        other = "联系方式" if near.b == "contact" else f"折成年化不低于 {_percent(near.b)} 的回报率"
        return Condition(text=f"有其中一词，{near.within} 个字以内写着{other}{order}", groups=(_words("", near.a, ruleset),))
    if clause.rate is not None:
        return Condition(text=f"写明的回报率折成年化不低于 {_percent(clause.rate)}")
    if clause.contact is not None:
        return Condition(text="留有联系方式：" + "、".join(CONTACTS.get(kind, kind) for kind in clause.contact))
    gate = _words("", clause.gate or (), ruleset)
    return Condition(text="出现其中任一词，且上下文合于一种写法（正则表达式）", groups=(gate,), pattern=clause.pattern or "")


def _words(label: str, given: tuple[str, ...], ruleset: RuleSet) -> Words:
    own = tuple(word for word in given if not word.startswith("@"))
    lists = tuple((word[1:], ruleset.lexicon.get(word[1:], ())) for word in given if word.startswith("@"))
    return Words(label=label, words=own, lists=lists)


def _percent(rate: str) -> str:
    found = RATE.fullmatch(rate)
    return f"{found[1]}%" if found else rate
