"""Figures of a classifier on labelled texts: how much of what it says is right, how much it finds, and whether its chances are true.

`python -m classifiers.evaluate FILE [--baselines] [--json]` reads any JSON Lines file with the fields of `classifiers.dataset`.
Positives are the two promo labels. Figures are given for the rows that both readers call sure and for all rows.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers import dataset, neural
from classifiers.base import Classifier
from classifiers.dataset import LABELS, Row
from classifiers.fusion import Judge, Mode, load_judge
from domain.errors import PatrolError
from domain.model import Document, Level

REVIEW, ALERT = 0.5, 0.88
"""Where no judge with its own thresholds speaks, a score counts as review and as alert from here on."""
BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All shares 0-1; NaN never: a share of nothing is 0."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What was said of one row."""

    score: float
    level: Level
    schemes: tuple[str, ...] = ()


def words(rows: Sequence[Row], speaker: Classifier | Judge) -> list[Word]:
    """What a classifier or the whole judge says of each row, in order."""
    documents = [Document(text=row.text) for row in rows]
    if isinstance(speaker, Judge):
        return [Word(score=said.score, level=said.level, schemes=said.schemes) for said in speaker.judge(documents)]
    found = []
    for opinion in speaker.judge(documents):
        value = opinion.score.value
        found.append(Word(score=value, level=level_of(value), schemes=tuple(slug for slug, _ in opinion.schemes[:3])))
    return found


def level_of(score: float) -> Level:
    """Level of a bare score by REVIEW and ALERT."""
    return Level.ALERT if score >= ALERT else Level.REVIEW if score >= REVIEW else Level.CLEAR


def figures(rows: Sequence[Row], said: Sequence[Word]) -> Figures:
    """Figures over `rows`. Raises ValueError where there is no row."""
    if not rows:
        raise ValueError("no rows to evaluate: give a file with at least one")
    wanted = np.array([row.suspected for row in rows])
    scores = np.array([word.score for word in said], dtype=np.float64)
    hits = np.array([word.level.opens_hit for word in said])
    alerts = np.array([word.level is Level.ALERT for word in said])
    precision, recall = _share(wanted, hits), _share(hits, wanted)
    labels = {label: np.array([row.label == label for row in rows]) for label in LABELS}
    slugs = sorted({slug for row in rows if row.suspected for slug in row.schemes})
    schemes = {slug: np.array([row.suspected and slug in row.schemes for row in rows]) for slug in slugs}
    named = [
        bool(set(row.schemes) & set(word.schemes))
        for row, word in zip(rows, said, strict=True)
        if row.suspected and row.schemes and word.level.opens_hit
    ]
    return Figures(
        rows=len(rows),
        promos=int(wanted.sum()),
        average_precision=average_precision(wanted, scores),
        best_f1=best_f1(wanted, scores),
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if precision + recall else 0.0,
        alert_precision=_share(wanted, alerts),
        alert_recall=_share(alerts, wanted),
        calibration_error=calibration_error(wanted, scores),
        by_label={label: _share(hits, mask) for label, mask in labels.items() if mask.any()},
        by_scheme={slug: _share(hits, mask) for slug, mask in schemes.items()},
        scheme_right=float(np.mean(named)) if named else 0.0,
        pairs_right=pairs_right(rows, hits),
    )


def _share(part: NDArray[np.bool_], of: NDArray[np.bool_]) -> float:
    return float((part & of).sum() / of.sum()) if of.any() else 0.0


def _ranked(wanted: NDArray[np.bool_], scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(precision, recall) at each distinct score, highest first: rows of one score are taken together."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.diff(scores[order]) != 0, True)
    true = np.cumsum(wanted[order])[ends]
    count = np.flatnonzero(ends) + 1
    return true / count, true / max(1, int(wanted.sum()))


def average_precision(wanted: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Area under precision over recall, as steps. 0 where there is no promo."""
    precision, recall = _ranked(wanted, scores)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision)) if wanted.any() else 0.0


def best_f1(wanted: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """The best F1 over all thresholds: what a threshold chosen on these very rows would give."""
    precision, recall = _ranked(wanted, scores)
    return float(np.max(2 * precision * recall / np.maximum(precision + recall, 1e-12)))


def calibration_error(wanted: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Mean distance between what is said and what is so, over BINS bins of equal width, by their rows."""
    bins = np.clip((scores * BINS).astype(np.int64), 0, BINS - 1)
    parts = [(bins == number) for number in range(BINS)]
    return float(sum(mask.mean() * abs(scores[mask].mean() - wanted[mask].mean()) for mask in parts if mask.any()))


def pairs_right(rows: Sequence[Row], hits: NDArray[np.bool_]) -> float:
    """Share of pairs (rows of one `pair`, promos and others among them) whose every row is right. 0 where there is none."""
    right: dict[str, bool] = {}
    sides: dict[str, set[bool]] = {}
    for row, hit in zip(rows, hits, strict=True):
        if row.pair:
            right[row.pair] = right.get(row.pair, True) and bool(hit) == row.suspected
            sides.setdefault(row.pair, set()).add(row.suspected)
    true = [right[pair] for pair in right if len(sides[pair]) == 2]
    return sum(true) / len(true) if true else 0.0


def report(rows: Sequence[Row], speaker: Classifier | Judge) -> dict[str, Figures]:
    """Figures for `all` rows and, where some are not, for the `sure` ones."""
    said = words(rows, speaker)
    found = {"all": figures(rows, said)}
    sure = [number for number, row in enumerate(rows) if row.sure]
    if sure and len(sure) < len(rows):
        found["sure"] = figures([rows[number] for number in sure], [said[number] for number in sure])
    return found


def baselines(rows: Sequence[Row], *, rules_dir: Path | None = None, weights_dir: Path | None = None) -> dict[str, dict[str, Figures]]:
    """`report` of the keyword layer, the linear voice alone, the neural classifier and the whole judge, side by side.

    The linear voice and the encoder are heard uncalibrated: of theirs only average precision and best F1 compare.
    """
    found: dict[str, dict[str, Figures]] = {}
    modes: tuple[Mode, ...] = ("keyword", "neural", "both")
    for mode in modes:
        judge, _ = load_judge(rules_dir=rules_dir, weights_dir=weights_dir, mode=mode)
        found["whole" if mode == "both" else mode] = report(rows, judge)
    for name, said in alone(rows, neural.load(weights_dir)).items():
        found[name] = {"all": figures(rows, said)}
        sure = [number for number, row in enumerate(rows) if row.sure]
        if sure and len(sure) < len(rows):
            found[name]["sure"] = figures([rows[number] for number in sure], [said[number] for number in sure])
    order = ("keyword", "linear", "encoder", "neural", "whole")
    return {name: found[name] for name in order if name in found}


def alone(rows: Sequence[Row], classifier: neural.NeuralClassifier) -> dict[str, list[Word]]:
    """Each voice of the neural classifier by itself."""
    views = classifier.views([row.text for row in rows])
    found = {}
    for name, logits in classifier.voices(views).items():
        scores = 1.0 / (1.0 + np.exp(-neural.worst(views, logits, penalty=classifier.manifest.mixture["window_penalty"])))
        found[name] = [Word(score=float(score), level=level_of(float(score))) for score in scores]
    return found


def table(found: Mapping[str, Mapping[str, Figures]]) -> str:
    """Lines of a table, one a speaker and set of rows."""
    head = f"{'':10}{'rows':>6}{'n':>6}{'AP':>8}{'best F1':>9}{'P':>8}{'R':>8}{'F1':>8}{'alert P':>9}{'alert R':>9}{'ECE':>8}{'pairs':>8}"
    lines = [head]
    for name, sets in found.items():
        for which, own in sets.items():
            numbers = (own.average_precision, own.best_f1, own.precision, own.recall, own.f1, own.alert_precision, own.alert_recall)
            cells = "".join(f"{value:>{width}.3f}" for value, width in zip(numbers, (8, 9, 8, 8, 8, 9, 9), strict=True))
            lines.append(f"{name:10}{which:>6}{own.rows:>6}{cells}{own.calibration_error:>8.3f}{own.pairs_right:>8.3f}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; 0 well, 1 where the file or the weights are at fault."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.evaluate", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--baselines", action="store_true", help="keyword, linear, encoder, neural and whole side by side")
    parser.add_argument("--weights", type=Path, default=None, help="folder with a manifest.json")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    try:
        rows = dataset.read(given.file)
        found = baselines(rows, weights_dir=given.weights) if given.baselines else {"neural": report(rows, neural.load(given.weights))}
    except (PatrolError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    plain: Any = {name: {which: asdict(own) for which, own in sets.items()} for name, sets in found.items()}
    sys.stdout.write((json.dumps(plain, ensure_ascii=False) if given.json else table(found)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
