"""Rules on trial (background): matched over every text, kept with weight 0, so that their worth is known before they count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from classifiers.keyword import KeywordClassifier
from domain.model import Assessment, Document, Match
from domain.text import Folded, fold
from rules.loader import RuleSet


class Trial:
    """The background rules of a set. The judge itself looks no further at texts in which no live rule speaks; these rules must."""

    def __init__(self, ruleset: RuleSet) -> None:
        rules = tuple(rule for rule in ruleset.rules if rule.status == "background")
        self._keyword = KeywordClassifier(replace(ruleset, rules=rules)) if rules else None

    def note(self, documents: Sequence[Document], results: Sequence[Assessment]) -> list[Assessment]:
        """`results`, in order, with the matches of background rules that they do not name yet; nothing else changes."""
        if self._keyword is None:
            return list(results)
        return [self._noted(document.text, one) for document, one in zip(documents, results, strict=True)]

    def _noted(self, text: str, one: Assessment) -> Assessment:
        known = {match.rule for match in one.matches}
        more = [match for match in self._matches(text) if match.rule not in known]
        return replace(one, matches=(*one.matches, *more)) if more else one

    def _matches(self, text: str) -> list[Match]:
        """The places of each rule in the first part of the text in which it matches."""
        assert self._keyword is not None
        folded = fold(text)
        first: dict[str, list[Match]] = {}
        for view in self._keyword.views(folded):
            for found in view.found:
                first.setdefault(found.rule.id, [_match(found.rule.id, span, folded=folded, text=text) for span in found.spans])
        return sorted((match for matches in first.values() for match in matches), key=lambda match: (match.start, match.end, match.rule))


def _match(rule: str, span: tuple[int, int], *, folded: Folded, text: str) -> Match:
    start, end = folded.span(*span)
    deep = folded.text[span[0] : span[1]] if folded.kinds(*span) else ""
    return Match(rule=rule, start=start, end=end, weight=0.0, text=text[start:end], fold=deep)
