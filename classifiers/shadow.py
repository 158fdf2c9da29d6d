"""A candidate's word beside the one that counts: the same rules, other weights. Nothing is done by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from classifiers.base import Classifier
from classifiers.fusion import Judge
from classifiers.keyword import NAME as KEYWORD
from domain.model import Assessment, Document, Level, Opinion
from rules.loader import RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What the judge would have said with the candidate's weights."""

    score: float
    level: Level


class _Heard:
    """The rules' scores as they were given once: reading every text by all rules again would cost as much as the judge itself."""

    name = KEYWORD
    version = "heard"

    def __init__(self, results: Sequence[Assessment]) -> None:
        self._left = [score for one in results for score in one.scores if score.classifier == KEYWORD]

    def judge(self, documents: Sequence[Document]) -> list[Opinion]:
        """The opinions of the next documents, in the order of the results; a judge asks in batches."""
        heard, self._left = self._left[: len(documents)], self._left[len(documents) :]
        return [Opinion(score=score) for score in heard]


class Shadow:
    """One candidate."""

    def __init__(self, neural: Classifier, *, ruleset: RuleSet) -> None:
        self.neural, self.ruleset = neural, ruleset

    @property
    def model(self) -> str:
        """The candidate's version."""
        return self.neural.version

    def beside(self, documents: Sequence[Document], results: Sequence[Assessment]) -> list[Word]:
        """One word a document, in order; `results` are those of the judge in force, which has rules."""
        judge = Judge(keyword=_Heard(results), neural=self.neural, ruleset=self.ruleset)
        return [Word(score=one.score, level=one.level) for one in judge.judge(documents)]
