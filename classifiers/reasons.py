"""Why, in Chinese, for an officer and for a publisher: one sentence a rule, with its articles and its span."""

from __future__ import annotations

from collections.abc import Sequence

from domain.model import Feature, Level, Match, Reason
from rules.loader import RuleSet
from rules.schema import Rule

_MOST_REASONS = 12
_SHOWN = 40
_STANDS_FOR = "（原文经变形书写，还原为“{fold}”）"


def reasons_of(
    ruleset: RuleSet,
    *,
    matches: Sequence[Match],
    schemes: Sequence[str],
    features: Sequence[Feature],
    spans: Sequence[tuple[int, int]],
    level: Level,
) -> tuple[Reason, ...]:
    """Heaviest rules first, then what speaks against suspicion, then the features. Empty for a clear text."""
    if level is Level.CLEAR:
        return ()
    rules = {rule.id: rule for rule in ruleset.rules}
    first: dict[str, Match] = {}
    for match in matches:
        if match.rule in rules and match.weight != 0 and (match.rule not in first or len(match.text) > len(first[match.rule].text)):
            first[match.rule] = match
    ranked = sorted(first.values(), key=lambda match: (-match.weight, match.start))
    own = [match for match in ranked if match.weight > 0 and rules[match.rule].family != "signs"]
    against = [match for match in ranked if match.weight < 0]
    result = [_reason(ruleset, rules[match.rule], match) for match in own[:_MOST_REASONS]]
    if not result and level.opens_hit:
        start, end = spans[-1] if spans else (None, None)
        names = "、".join(ruleset.schemes[slug].name for slug in schemes) or "集资类"
        result.append(Reason(text=f"模型研判：整体表述与涉嫌“{names}”宣传相近，未命中单条规则，须人工复核。", start=start, end=end))
    result += [
        Reason(text=f"减轻因素：{rules[match.rule].title}（仅降低分值，不排除嫌疑）。", rule=match.rule, start=match.start, end=match.end)
        for match in against[:3]
    ]
    if features and level.opens_hit:
        shown = "、".join(feature.chinese for feature in features)
        result.append(Reason(text=f"文本所示特征：{shown}；是否属于涉嫌非法集资，由主管部门依法判断。"))
    return tuple(result)


def _reason(ruleset: RuleSet, rule: Rule, match: Match) -> Reason:
    articles = tuple(ruleset.statutes[article].label for article in rule.basis)
    scheme = f"涉嫌“{ruleset.schemes[rule.scheme].name}”类宣传" if rule.scheme else "涉嫌违规宣传"
    shown = match.text if len(match.text) <= _SHOWN else match.text[:_SHOWN] + "…"
    text = f"{rule.title}：“{shown}”，{scheme}"
    if match.fold:
        text += _STANDS_FOR.format(fold=match.fold)
    if articles:
        text += f"（参照{'、'.join(articles)}）"
    return Reason(text=text + "。", rule=rule.id, articles=articles, start=match.start, end=match.end)


def codes_of(ruleset: RuleSet, matches: Sequence[Match]) -> tuple[str, ...]:
    """Ad-finding codes of the rules that weigh in favour of suspicion, sorted."""
    rules = {rule.id: rule for rule in ruleset.rules}
    return tuple(sorted({code for match in matches if match.weight > 0 and match.rule in rules for code in rules[match.rule].codes}))
