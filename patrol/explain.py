"""`wangxun rules explain`: what the keyword layer sees in one text, as data. `patrol.explained` draws it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from classifiers.fusion import Judge
from classifiers.keyword import Explanation, KeywordClassifier, View
from classifiers.trial import Trial
from domain.model import Document, Match
from domain.text import Folded
from rules.loader import RuleSet

Span = tuple[int, int]
SHOWN = 2
"""Characters of a contact that stay readable: enough to tell two apart, not enough to call."""


def explain(text: str, *, ruleset: RuleSet) -> dict[str, Any]:
    """The keyword layer's whole reading of `text`: level, score, rules with their share, matches, rates, contacts, reasons.

    Offsets are in characters of `text`; contacts are masked wherever they stand.
    """
    keyword = KeywordClassifier(ruleset)
    seen, documents = keyword.explain(text), [Document(text=text)]
    (assessment,) = Trial(ruleset).note(documents, Judge(keyword=keyword, neural=None, ruleset=ruleset).judge(documents))
    views = keyword.views(seen.folded, mute=False)
    best = max(views, key=keyword.log_odds, default=None)
    matches = seen.matches + tuple(match for match in assessment.matches if match not in seen.matches)
    return {
        "ruleset": ruleset.digest,
        "level": assessment.level.value,
        "score": seen.score,
        "grade": assessment.grade.value if assessment.grade else None,
        "thresholds": ruleset.policy.thresholds_keyword.model_dump(),
        "schemes": list(assessment.schemes),
        "features": [feature.value for feature in assessment.features],
        "authorities": list(assessment.authorities),
        **_forms(text, seen, best),
        "rules": _rules(ruleset, best, seen=seen, matches=matches),
        "start": round(keyword.log_odds(best) - _sum(ruleset, best), 4) if best else None,
        "matches": _matches(matches, seen),
        "rates": [
            {"text": text[rate.start : rate.end], **{name: getattr(rate, name) for name in ("yearly", "high", "period", "start", "end")}}
            for rate in seen.rates
        ],
        "contacts": [{"kind": one.kind, "value": hide(one.value), "start": one.start, "end": one.end} for one in seen.contacts],
        "reasons": [
            {"text": hide_in(reason.text, seen.contacts), "articles": list(reason.articles), "rule": reason.rule}
            for reason in assessment.reasons
        ],
    }


def hide(value: str) -> str:
    """A contact with all but its first characters replaced by `*`, one for one, so that offsets stay true."""
    return value[:SHOWN] + "".join(character if character.isspace() else "*" for character in value[SHOWN:])


def hide_spans(text: str, spans: Iterable[Span]) -> str:
    """`text` with what stands at `spans` hidden, as long as it was."""
    for start, end in spans:
        text = text[:start] + hide(text[start:end]) + text[end:]
    return text


def hide_in(sentence: str, contacts: Iterable[Any]) -> str:
    """`sentence` with every one of these contacts hidden, however it came into it."""
    for value in sorted({one.value for one in contacts if len(one.value) > SHOWN}, key=len, reverse=True):
        sentence = sentence.replace(value, hide(value))
    return sentence


def _forms(text: str, seen: Explanation, best: View | None) -> dict[str, Any]:
    """The text, and what folding made of it: `deep` are the places that were rewritten; `window` is the part that decides."""
    folded, spans = seen.folded, [(one.start, one.end) for one in seen.contacts]
    inside = [_folded_span(folded, span) for span in spans]
    changes = [
        {"kind": one.kind, "start": folded.span(one.start, one.end)[0], "end": folded.span(one.start, one.end)[1],
         "folded_start": one.start, "folded_end": one.end, "text": folded.text[one.start : one.end]}
        for one in folded.changes
    ]  # fmt: skip
    window = folded.span(*best.span) if best else (0, len(text))
    return {"text": hide_spans(text, spans), "folded": hide_spans(folded.text, inside), "deep": changes, "window": list(window)}


def _folded_span(folded: Folded, span: Span) -> Span:
    """Where a span of the original stands in the folded text."""
    start = next((at for at, end in enumerate(folded.ends) if end > span[0]), len(folded.text))
    stop = next((at for at, origin in enumerate(folded.origin) if origin >= span[1]), len(folded.text))
    return start, stop


def _sum(ruleset: RuleSet, best: View) -> float:
    weights = {rule.id: ruleset.weight(rule) for rule in ruleset.scored}
    return sum(weights.get(rule, 0.0) * strength for rule, strength in best.facts.items())


def _rules(ruleset: RuleSet, best: View | None, *, seen: Explanation, matches: Sequence[Match]) -> list[dict[str, Any]]:
    """Every rule that speaks in the deciding part, heaviest first, and those on trial that speak anywhere; `weight` in log-odds."""
    facts = dict(best.facts) if best else {}
    facts |= {match.rule: 1.0 for match in matches if match.rule not in facts}
    notes, known = dict(seen.notes), {rule.id: rule for rule in ruleset.rules}
    rows = []
    for name, strength in facts.items():
        rule, words = known[name], [match.text for match in matches if match.rule == name]
        rows.append(
            {
                "rule": name,
                "title": rule.title,
                "status": rule.status,
                "excuse": rule.excuse,
                "weight": round(ruleset.weight(rule) * strength, 4),
                "strength": round(strength, 4),
                "note": notes.get(name, "" if words else "outside"),
                "words": [hide_in(word, seen.contacts) for word in dict.fromkeys(words)],
                "articles": [ruleset.statutes[article].label for article in rule.basis],
            }
        )
    return sorted(rows, key=lambda row: (-row["weight"], row["rule"]))


def _matches(matches: Sequence[Match], seen: Explanation) -> list[dict[str, Any]]:
    return [
        {
            "rule": one.rule,
            "start": one.start,
            "end": one.end,
            "text": hide_in(one.text, seen.contacts),
            "weight": one.weight,
            "fold": hide_in(one.fold, seen.contacts),
        }
        for one in matches
    ]
