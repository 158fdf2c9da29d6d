"""Several opinions become one Assessment: level, grade, layer, schemes, features and the reasons in Chinese.

The machine assesses and determines nothing: every sentence says 涉嫌.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from classifiers.backends import Choice
from classifiers.base import Classifier, Folding, Screening, logit, sigmoid
from classifiers.keyword import BATCH, KeywordClassifier
from classifiers.reasons import codes_of, reasons_of
from domain.errors import ModelUnavailable
from domain.model import Assessment, Document, Feature, Grade, Layer, Level, Match, Opinion
from domain.text import Batch, fold_all
from rules.loader import RuleSet, load
from rules.schema import Level as Thresholds

Mode = Literal["both", "keyword", "neural"]
NO_MODEL = "none"
_SURE_SCHEME = 0.5
_MOST_SCHEMES = 3


class Judge:
    """Keyword and neural together, or one of them alone."""

    def __init__(self, *, keyword: Classifier | None, neural: Classifier | None, ruleset: RuleSet, gated: bool = True) -> None:
        """Without `gated` every classifier reads every text: to measure what the gate drops. Raises ValueError without any classifier."""
        if keyword is None and neural is None:
            raise ValueError("a judge needs a classifier: give keyword, neural or both")
        self.keyword, self.neural, self.ruleset, self.gated = keyword, neural, ruleset, gated
        self._speakers = tuple(one for one in (keyword, neural) if one is not None)
        self._quiet: Assessment | None = None

    @property
    def model(self) -> str:
        """Version of the neural classifier, `none` without."""
        return self.neural.version if self.neural is not None else NO_MODEL

    def judge(self, documents: Sequence[Document]) -> list[Assessment]:
        """One Assessment a document, in order."""
        found: list[Assessment] = []
        for at in range(0, len(documents), BATCH):
            found += [self._assessed(own) for own in self._opinions(documents[at : at + BATCH])]
        return found

    def _assessed(self, opinions: Sequence[Opinion]) -> Assessment:
        """One text's assessment; of texts in which nobody speaks, most of a stream, one and the same is made once."""
        quiet = all(opinion is getattr(one, "silent", None) for opinion, one in zip(opinions, self._speakers, strict=True))
        if not quiet:
            return self.assess(opinions)
        if self._quiet is None:
            self._quiet = self.assess(opinions)
        return self._quiet

    def _opinions(self, documents: Sequence[Document]) -> list[list[Opinion]]:
        """What each classifier says of each text. A dear one is asked only about what another or its own screen found worth it."""
        texts = [document.text for document in documents]
        folded = fold_all(texts)
        said = [self._asked(one, documents, folded) for one in (self.keyword,) if one is not None]
        if self.neural is None:
            return [list(own) for own in zip(*said, strict=True)]
        if not (said and self.gated and isinstance(self.neural, Screening)):
            said.append(self._asked(self.neural, documents, folded))
            return [list(own) for own in zip(*said, strict=True)]
        least = self.ruleset.policy.gate
        heard = self.neural.hears(folded.texts)
        asked = [n for n, opinion in enumerate(said[0]) if heard[n] or opinion.score.value >= least]
        spoken = dict(zip(asked, self.neural.of_heard([texts[n] for n in asked], [folded[n] for n in asked]), strict=True))
        return [[opinion, spoken.get(n, self.neural.silent)] for n, opinion in enumerate(said[0])]

    @staticmethod
    def _asked(classifier: Classifier, documents: Sequence[Document], folded: Batch) -> list[Opinion]:
        if isinstance(classifier, Folding):
            return classifier.of_folded([document.text for document in documents], folded)
        return classifier.judge(documents)

    def assess(self, opinions: Sequence[Opinion]) -> Assessment:
        """One text's opinions, one or more, as an Assessment."""
        score = self._score(opinions)
        level = _level(score, self._thresholds(opinions))
        matches = tuple(match for opinion in opinions for match in opinion.matches)
        schemes = self._schemes(opinions) if level is not Level.CLEAR else ()
        features = self._features(opinions, level)
        layer = self._layer(matches, schemes, level)
        spans = tuple(span for opinion in opinions for span in opinion.spans)
        reasons = reasons_of(self.ruleset, matches=matches, schemes=schemes, features=features, spans=spans, level=level)
        return Assessment(
            level=level,
            score=round(score, 6),
            layer=layer,
            grade=self._grade(score, matches, features, level),
            schemes=schemes,
            features=features,
            matches=matches,
            reasons=reasons,
            scores=tuple(opinion.score for opinion in opinions),
            ruleset=self.ruleset.digest,
            model=self.model,
            codes=codes_of(self.ruleset, matches) if level is not Level.CLEAR else (),
            authorities=self._authorities(schemes, layer) if level.opens_hit else (),
        )

    def _score(self, opinions: Sequence[Opinion]) -> float:
        """A single opinion as it is; several mixed in log-odds, with the parameters of policy.yml."""
        if len(opinions) == 1:
            return opinions[0].score.value
        fusion = self.ruleset.policy.fusion
        mixed = (fusion.weights.get(opinion.score.classifier, 0.0) * logit(opinion.score.value) for opinion in opinions)
        return sigmoid(fusion.bias + sum(mixed))

    def _thresholds(self, opinions: Sequence[Opinion]) -> Thresholds:
        policy = self.ruleset.policy
        if len(opinions) > 1:
            return policy.thresholds
        return policy.thresholds_keyword if opinions[0].score.classifier == "keyword" else policy.thresholds_neural

    def _schemes(self, opinions: Sequence[Opinion]) -> tuple[str, ...]:
        """Both classifiers' schemes by their mean; the rules' own first where they are sure."""
        totals: dict[str, float] = {}
        for opinion in opinions:
            for slug, value in opinion.schemes:
                if slug in self.ruleset.schemes:
                    totals[slug] = totals.get(slug, 0.0) + value / len(opinions)
        ranked = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
        if not ranked:
            return ()
        least = min(_SURE_SCHEME / len(opinions), ranked[0][1])
        return tuple(slug for slug, value in ranked[:_MOST_SCHEMES] if value >= least)

    def _features(self, opinions: Sequence[Opinion], level: Level) -> tuple[Feature, ...]:
        shown = {feature for opinion in opinions for feature in opinion.features}
        if level.opens_hit:
            # It stands on a public page for anybody to read: that is what publicity and unspecified persons mean.
            shown |= {Feature.F2, Feature.F4}
        return tuple(feature for feature in Feature if feature in shown) if level is not Level.CLEAR else ()

    def _layer(self, matches: Sequence[Match], schemes: Sequence[str], level: Level) -> Layer | None:
        """The heaviest suspicion that the matches carry; a lead for the police only from rules that say so."""
        if level is Level.CLEAR:
            return None
        rules = {rule.id: rule for rule in self.ruleset.rules}
        own = [(rules[match.rule], match.weight) for match in matches if match.rule in rules and match.weight > 0]
        if any(rule.crime for rule, _ in own):
            return Layer.SUSPECTED_CRIME
        weight = {"illegal_fundraising": 0.0, "illegal_finance": 0.0, "ad_law": 0.0}
        for rule, value in own:
            if rule.family in weight:
                weight[rule.family] += value
        first = self.ruleset.schemes[schemes[0]].fundraising if schemes else False
        if weight["illegal_fundraising"] > 0 or (first and not weight["illegal_finance"]):
            fundraising = weight["illegal_fundraising"] >= weight["ad_law"] or not weight["ad_law"]
            return Layer.SUSPECTED_FUNDRAISING if fundraising else Layer.AD_DEFECT
        return Layer.SUSPECTED_CRIME if weight["illegal_finance"] > weight["ad_law"] and level is Level.ALERT else Layer.AD_DEFECT

    def _grade(self, score: float, matches: Sequence[Match], features: Sequence[Feature], level: Level) -> Grade | None:
        """高危, 中危 or 一般 by the criteria of policy.yml; None below review."""
        if not level.opens_hit:
            return None
        policy = self.ruleset.policy.grade
        rules = {rule.id: rule for rule in self.ruleset.rules}
        severe = any(
            match.weight > 0 and match.rule in rules and rules[match.rule].severity in policy.high_severities for match in matches
        )
        if score >= policy.high_score and len(features) >= policy.high_features and severe:
            return Grade.HIGH
        return Grade.MIDDLE if score >= policy.middle_score else Grade.ORDINARY

    def _authorities(self, schemes: Sequence[str], layer: Layer | None) -> tuple[str, ...]:
        """The first scheme's authorities; the police only where a crime is suspected, market regulation for an ad defect."""
        listed = [slug for scheme in schemes[:1] for slug in self.ruleset.schemes[scheme].authorities] or ["finance_office"]
        if layer is Layer.AD_DEFECT:
            listed = ["market_regulation", *listed]
        if layer is not Layer.SUSPECTED_CRIME:
            listed = [slug for slug in listed if slug != "police"]
        return tuple(dict.fromkeys(listed))


def _level(score: float, thresholds: Thresholds) -> Level:
    if score >= thresholds.alert:
        return Level.ALERT
    if score >= thresholds.review:
        return Level.REVIEW
    return Level.WATCH if score >= thresholds.watch else Level.CLEAR


def load_judge(
    *, rules_dir: Path | None, weights_dir: Path | None, mode: Mode = "both", inference: Choice = "auto"
) -> tuple[Judge, list[str]]:
    """A judge and the alarms of its making, in Chinese: a missing or altered model gives keyword-only judging and an alarm.

    Raises RuleFault where the rule pack is broken: without rules nothing can be explained.
    """
    ruleset = load(rules_dir)
    alarms: list[str] = []
    neural: Classifier | None = None
    if mode != "keyword":
        try:
            from classifiers import neural as room

            neural = room.load(weights_dir, choice=inference)
        except (ModelUnavailable, ImportError) as error:
            alarms.append(f"神经网络模型不可用，仅以规则研判：{error}")
    keyword = None if mode == "neural" and neural is not None else KeywordClassifier(ruleset)
    return Judge(keyword=keyword, neural=neural, ruleset=ruleset), alarms
