"""Fits the rules' weights: logistic regression over rule matches, so that every weight stays a log-odds that an officer can read.

Rules can only raise a score and excuses only lower it, whatever the data say: an officer must be able to trust the direction.
`python -m classifiers.weigh --labelled real_train.jsonl.xz --composed folder` writes rules/weights.yml and prints how it was judged.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from classifiers.keyword import LONG, SHORT, SILENT, SPEAKS, KeywordClassifier, View
from domain.text import fold
from rules.loader import PACKAGED, load

POSITIVE = frozenset({"fundraising_promo", "illegal_finance_promo"})
LEFT_OUT = frozenset({"adlaw_defect"})
"""Neither one nor the other: a real business with a forbidden promise."""
BALANCE_MEAN = 1.5
"""Keeps the summed weight near the number of rows, so that the penalty keeps its meaning."""
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    text: str
    positive: bool
    weight: float
    fold: int
    """0-4: near-duplicates share one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    intercept: float
    weights: Array
    long_text: float
    short_text: float


def read_rows(labelled: Path, composed: Path | None, *, composed_weight: float) -> list[Row]:
    """Rows of the two sources, weighted: two readers count three times, near-duplicates share a weight."""
    rows: list[Row] = []
    with lzma.open(labelled, "rt", encoding="utf-8") as lines:
        data = [json.loads(line) for line in lines]
    data = [item for item in data if item["label"] not in LEFT_OUT]
    sizes = Counter(str(item.get("group")) for item in data)
    kinds = Counter(map(_kind, data))
    mean = sum(count**2 for count in kinds.values()) / max(len(data), 1)
    for item in data:
        group = str(item.get("group"))
        weight = (3.0 if item.get("readers") == 2 else 1.0) * (1.0 if item.get("sure", 1) else 0.5) / sizes[group] ** 0.5
        # One source gave two thirds of the promos by a few cash-out templates: no label and no scheme may drown the others.
        weight *= (mean / kinds[_kind(item)]) ** 0.5 / BALANCE_MEAN
        rows.append(Row(text=item["text"], positive=item["label"] in POSITIVE, weight=weight, fold=_fold_of(group)))
    for path in sorted(composed.glob("*.jsonl")) if composed else ():
        for place, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            item = json.loads(line)
            if item["label"] not in LEFT_OUT:
                # Neighbours in a file mirror each other.
                group = item.get("pair") or f"{path.name}{place // 20}"
                positive = item["label"] in POSITIVE
                rows.append(Row(text=item["text"], positive=positive, weight=composed_weight, fold=_fold_of(str(group))))
    return rows


def _kind(item: dict[str, Any]) -> tuple[str, str | None]:
    return item["label"], item.get("scheme") if item["label"] in POSITIVE else None


def _fold_of(group: str) -> int:
    return hashlib.sha256(group.encode()).digest()[0] % 5


class Fitter:
    """Rows as views, and the fit over them. A row speaks by its strongest view, which is found anew in every round."""

    def __init__(self, classifier: KeywordClassifier, rows: Sequence[Row], *, penalty: float = 2.0) -> None:
        self.rules = [rule.id for rule in classifier.ruleset.scored]
        place = {rule: index for index, rule in enumerate(self.rules)}
        self.first = np.array([0.0 if rule.bare or rule.excuse else 1.0 for rule in classifier.ruleset.scored])
        self.sign = np.array([-1.0 if rule.excuse else 1.0 for rule in classifier.ruleset.scored])
        self.owner: list[int] = []
        matrix: list[Array] = []
        for number, row in enumerate(rows):
            folded = fold(row.text)
            views = classifier.views(folded) or [View({}, (), (0, 0), len(folded.text))]
            for view in views:
                line = np.zeros(len(self.rules) + 2)
                for rule, strength in view.facts.items():
                    line[place[rule]] = strength
                line[-2] = float(view.length > LONG)
                line[-1] = float(view.length < SHORT)
                matrix.append(line)
                self.owner.append(number)
        self.matrix = np.array(matrix)
        self.owners = np.array(self.owner)
        self.labels = np.array([row.positive for row in rows], dtype=float)
        self.row_weights = np.array([row.weight for row in rows])
        self.folds = np.array([row.fold for row in rows])
        self.penalty = penalty

    def fit(self, *, held: int | None = None, rounds: int = 2) -> Fit:
        """Weights from all rows, or from those outside the fold `held`."""
        use = np.ones(len(self.labels), dtype=bool) if held is None else self.folds != held
        theta = np.concatenate([self.sign * 0.5, [0.0, 0.0, -2.0]])
        for _ in range(rounds):
            strongest = self._strongest(theta)
            # A row in which no rule stands teaches no rule's weight: the classifier leaves it clear by itself.
            told = use & (self.matrix[strongest][:, :-2] @ self.first > 0)
            theta = self._descend(self.matrix[strongest][told], self.labels[told], self.row_weights[told], theta)
        return Fit(intercept=float(theta[-1]), weights=theta[:-3], long_text=float(theta[-3]), short_text=float(theta[-2]))

    def scores(self, fit: Fit) -> Array:
        """Probability of every row."""
        theta = np.concatenate([fit.weights, [fit.long_text, fit.short_text, fit.intercept]])
        odds = self.matrix @ theta[:-1] + theta[-1]
        strongest = self._strongest(theta)
        result: Array = 1 / (1 + np.exp(-odds[strongest]))
        result[self.matrix[strongest][:, :-2] @ (np.maximum(fit.weights, 0) * self.first) < SPEAKS] = SILENT
        return result

    def _strongest(self, theta: Array) -> npt.NDArray[np.int64]:
        odds = self.matrix @ theta[:-1]
        order = np.lexsort((odds, self.owners))
        last = np.append(np.diff(self.owners[order]) > 0, True)
        result: npt.NDArray[np.int64] = order[last]
        return result

    def _descend(self, x: Array, y: Array, w: Array, theta: Array, *, steps: int = 500) -> Array:
        """Projected accelerated gradient: ridge-penalised logistic loss, every weight on its own side of zero."""
        x = np.hstack([x, np.ones((len(x), 1))])
        ridge = np.append(np.full(x.shape[1] - 1, self.penalty), 0.0)
        lipschitz = 0.25 * float(np.linalg.norm(x * np.sqrt(w)[:, None], 2)) ** 2 + self.penalty
        free = np.concatenate([self.sign, [0.0, 0.0, 0.0]])
        current, ahead, momentum = theta.copy(), theta.copy(), 1.0
        for _ in range(steps):
            p = 1 / (1 + np.exp(-(x @ ahead)))
            moved = ahead - (x.T @ (w * (p - y)) + ridge * ahead) / lipschitz
            moved = np.where(free > 0, np.maximum(moved, 0), np.where(free < 0, np.minimum(moved, 0), moved))
            following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
            ahead = moved + (momentum - 1) / following * (moved - current)
            if float(np.abs(moved - current).max()) < 1e-5:
                return moved
            current, momentum = moved, following
        return current


def figures(scores: Array, labels: Array, weights: Array | None = None) -> dict[str, float]:
    """Average precision, best F1, recall at precision 0.7 and the thresholds for both; rows count by `weights` where given."""
    order = np.argsort(-scores, kind="stable")
    rows = np.ones(len(labels)) if weights is None else weights
    hits = np.cumsum((labels * rows)[order])
    total = max(float((labels * rows).sum()), 1e-9)
    precision, recall = hits / np.cumsum(rows[order]), hits / total
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    fit = np.nonzero(precision >= 0.7)[0]
    at = int(fit[-1]) if len(fit) else 0
    return {
        "average_precision": round(float((precision * (labels * rows)[order]).sum() / total), 4),
        "best_f1": round(float(f1.max()), 4),
        "recall_at_p70": round(float(recall[at]), 4),
        "threshold_p70": round(float(scores[order][at]), 4),
        "threshold_f1": round(float(scores[order][int(f1.argmax())]), 4),
        "threshold_r95": round(float(scores[order][min(int(np.searchsorted(recall, 0.95)), len(scores) - 1)]), 4),
        "threshold_p90": round(float(scores[order][np.nonzero(precision >= 0.9)[0][-1]]) if (precision >= 0.9).any() else 1.0, 4),
    }


def held_out(fitter: Fitter) -> Array:
    """Every row's score from a fit that never saw its fold."""
    result = np.zeros(len(fitter.labels))
    for number in range(5):
        mine = fitter.folds == number
        result[mine] = fitter.scores(fitter.fit(held=number))[mine]
    return result


def write(fit: Fit, rules: Sequence[str], *, folder: Path, made_from: str) -> None:
    """rules/weights.yml, sorted and rounded so that a diff can be read."""
    table: dict[str, Any] = {
        "made_from": made_from,
        "intercept": round(fit.intercept, 3),
        "long_text": round(fit.long_text, 3),
        "short_text": round(fit.short_text, 3),
        "rules": {rule: round(float(weight), 3) for rule, weight in sorted(zip(rules, fit.weights, strict=True))},
    }
    head = "# Fitted by classifiers/weigh.py: log-odds that a full match of the rule adds. A rule missing here weighs by its severity.\n"
    (folder / "weights.yml").write_text(head + yaml.safe_dump(table, allow_unicode=True, sort_keys=False), encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Fit, write, and print the figures of rows held out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labelled", type=Path, required=True)
    parser.add_argument("--composed", type=Path)
    parser.add_argument("--composed-weight", type=float, default=0.25)
    parser.add_argument("--penalty", type=float, default=2.0)
    parser.add_argument("--rules", type=Path, default=PACKAGED)
    given = parser.parse_args(argv)
    rows = read_rows(given.labelled, given.composed, composed_weight=given.composed_weight)
    fitter = Fitter(KeywordClassifier(load(given.rules)), rows, penalty=given.penalty)
    out = held_out(fitter)
    shown = {"rows": len(rows), "balanced": figures(out, fitter.labels, fitter.row_weights), "plain": figures(out, fitter.labels)}
    made_from = f"{len(rows)} rows of {given.labelled.name} and composed texts"
    write(fitter.fit(), fitter.rules, folder=given.rules, made_from=made_from)
    print(json.dumps(shown, ensure_ascii=False))  # noqa: T201 - a maker's command, not the daemon
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
