"""What is counted of a classifier on labelled rows: precision, recall, false hits by label, calibration, pairs, at each level.

Positives are the two promo labels. All shares are 0-1, and a share of nothing is 0, never NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.dataset import LABELS, PROMOS, Row
from domain.model import Level

WATCH, REVIEW, ALERT = 0.12, 0.5, 0.88
"""Where no judge with its own thresholds speaks, a score counts as watch, review and alert from here on."""
BINS = 10
RANKS = {level: rank for rank, level in enumerate((Level.CLEAR, Level.WATCH, Level.REVIEW, Level.ALERT))}
LEVELS = (Level.WATCH, Level.REVIEW, Level.ALERT)
Mask = NDArray[np.bool_]
Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What was said of one row."""

    score: float
    level: Level
    schemes: tuple[str, ...] = ()

    def reaches(self, level: Level) -> bool:
        """Whether it was put at `level` or above."""
        return RANKS[self.level] >= RANKS[level]


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLevel:
    """Figures of one level or above."""

    hits: int
    right: int
    """Hits that are promos."""
    precision: float
    recall: float
    false_hits: Mapping[str, float]
    """Share of the rows of each label, of those that are no promos, that were hit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything that is counted over one set of rows."""

    rows: int
    promos: int
    average_precision: float
    best_f1: float
    precision: float
    """At review or above, as are recall and f1."""
    recall: float
    f1: float
    alert_precision: float
    alert_recall: float
    calibration_error: float
    """Expected calibration error over ten bins of equal width."""
    by_label: Mapping[str, float]
    """Share of each label's rows at review or above; for labels that are no promos these are false hits."""
    by_scheme: Mapping[str, float]
    """Recall at review or above, by scheme of the promos."""
    scheme_right: float
    """Share of the promos at review or above, of a named scheme, for which one of the first three schemes is right."""
    pairs_right: float
    """Share of the minimal pairs of which both sides are right."""
    at: Mapping[str, AtLevel]
    """By level: watch, review, alert."""
    counts: Mapping[str, int]
    """Of how many rows a share is: each label, `pairs`, and `named` (promos at review or above of a named scheme)."""


def level_of(score: float) -> Level:
    """Level of a bare score by WATCH, REVIEW and ALERT."""
    if score >= REVIEW:
        return Level.ALERT if score >= ALERT else Level.REVIEW
    return Level.WATCH if score >= WATCH else Level.CLEAR


def figures(rows: Sequence[Row], said: Sequence[Word]) -> Figures:
    """Figures over `rows`. Raises ValueError where there is no row."""
    if not rows:
        raise ValueError("no rows to evaluate: give a file with at least one")
    wanted = np.array([row.suspected for row in rows])
    scores = np.array([word.score for word in said], dtype=np.float64)
    labels = {label: mask for label in LABELS if (mask := np.array([row.label == label for row in rows])).any()}
    reached = {level: np.array([word.reaches(level) for word in said]) for level in LEVELS}
    at = {level.value: _at(wanted, hits, labels) for level, hits in reached.items()}
    review, alert, hits = at["review"], at["alert"], reached[Level.REVIEW]
    slugs = sorted({slug for row in rows if row.suspected for slug in row.schemes})
    schemes = {slug: np.array([row.suspected and slug in row.schemes for row in rows]) for slug in slugs}
    named, pairs = named_right(rows, said), pairs_of(rows, hits)
    both = review.precision + review.recall
    return Figures(
        rows=len(rows),
        promos=int(wanted.sum()),
        average_precision=average_precision(wanted, scores),
        best_f1=best_f1(wanted, scores),
        precision=review.precision,
        recall=review.recall,
        f1=2 * review.precision * review.recall / both if both else 0.0,
        alert_precision=alert.precision,
        alert_recall=alert.recall,
        calibration_error=calibration_error(wanted, scores),
        by_label={label: share(hits, mask) for label, mask in labels.items()},
        by_scheme={slug: share(hits, mask) for slug, mask in schemes.items()},
        scheme_right=sum(named) / len(named) if named else 0.0,
        pairs_right=sum(pairs) / len(pairs) if pairs else 0.0,
        at=at,
        counts={label: int(mask.sum()) for label, mask in labels.items()} | {"pairs": len(pairs), "named": len(named)},
    )


def _at(wanted: Mask, hits: Mask, labels: Mapping[str, Mask]) -> AtLevel:
    return AtLevel(
        hits=int(hits.sum()),
        right=int((wanted & hits).sum()),
        precision=share(wanted, hits),
        recall=share(hits, wanted),
        false_hits={label: share(hits, mask) for label, mask in labels.items() if label not in PROMOS},
    )


def share(part: Mask, of: Mask) -> float:
    """Share of the rows `of` that are in `part` too."""
    return float((part & of).sum() / of.sum()) if of.any() else 0.0


def curve(wanted: Mask, scores: Scores) -> tuple[Scores, Scores]:
    """(precision, recall) at each distinct score, highest first: rows of one score are taken together."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.diff(scores[order]) != 0, True)
    true = np.cumsum(wanted[order])[ends]
    count = np.flatnonzero(ends) + 1
    return true / count, true / max(1, int(wanted.sum()))


def average_precision(wanted: Mask, scores: Scores) -> float:
    """Area under precision over recall, as steps. 0 where there is no promo."""
    precision, recall = curve(wanted, scores)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision)) if wanted.any() else 0.0


def best_f1(wanted: Mask, scores: Scores) -> float:
    """The best F1 over all thresholds: what a threshold chosen on these very rows would give."""
    precision, recall = curve(wanted, scores)
    return float(np.max(2 * precision * recall / np.maximum(precision + recall, 1e-12)))


def reliability(wanted: Mask, scores: Scores) -> list[tuple[int, float, float]]:
    """(rows, mean score, share of promos) of each of BINS bins of equal width that holds a row."""
    bins = np.clip((scores * BINS).astype(np.int64), 0, BINS - 1)
    parts = [bins == number for number in range(BINS)]
    return [(int(mask.sum()), float(scores[mask].mean()), float(wanted[mask].mean())) for mask in parts if mask.any()]


def calibration_error(wanted: Mask, scores: Scores) -> float:
    """Mean distance between what is said and what is so, over BINS bins of equal width, by their rows."""
    return sum(rows * abs(said - so) for rows, said, so in reliability(wanted, scores)) / len(scores)


def named_right(rows: Sequence[Row], said: Sequence[Word]) -> list[bool]:
    """For each promo at review or above of a named scheme, whether one of the schemes that were said is right."""
    return [
        bool(set(row.schemes) & set(word.schemes))
        for row, word in zip(rows, said, strict=True)
        if row.suspected and row.schemes and word.level.opens_hit
    ]


def pairs_of(rows: Sequence[Row], hits: Mask) -> list[bool]:
    """For each pair (rows of one `pair`, promos and others among them) whether every row of it is right."""
    right: dict[str, bool] = {}
    sides: dict[str, set[bool]] = {}
    for row, hit in zip(rows, hits, strict=True):
        if row.pair:
            right[row.pair] = right.get(row.pair, True) and bool(hit) == row.suspected
            sides.setdefault(row.pair, set()).add(row.suspected)
    return [right[pair] for pair in right if len(sides[pair]) == 2]

