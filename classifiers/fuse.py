"""Fits how much rules and neural classifier count beside each other: the `fusion` of rules/policy.yml.

Both are heard on rows that neither has seen: the rules by folds, the neural classifier on the rows that its training put aside
(`runs/NAME/heard.jsonl`). `python -m classifiers.fuse --heard FILE --labelled real_train.jsonl.xz --composed FOLDER` prints it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from classifiers.base import logit
from classifiers.keyword import KeywordClassifier
from classifiers.weigh import Array, Fitter, held_out, read_rows
from domain.identity import sha256
from rules.loader import PACKAGED, load


def logistic(x: Array, y: Array, weights: Array, *, penalty: float = 1.0, steps: int = 50) -> Array:
    """Coefficients of a logistic regression, the intercept last, by Newton's method; the intercept is not penalised."""
    x = np.hstack([x, np.ones((len(x), 1))])
    ridge = np.full(x.shape[1], penalty)
    ridge[-1] = 0.0
    theta = np.zeros(x.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(x @ theta, -30, 30)))
        gradient = x.T @ (weights * (p - y)) + ridge * theta
        hessian = (x * (weights * p * (1 - p))[:, None]).T @ x + np.diag(ridge + 1e-9)
        step = np.linalg.solve(hessian, gradient)
        theta = theta - step
        if np.abs(step).max() < 1e-8:
            break
    return theta


def main(argv: Sequence[str] | None = None) -> int:
    """Prints `fusion` as policy.yml takes it, and on how many rows it was fitted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heard", type=Path, required=True)
    parser.add_argument("--labelled", type=Path, required=True)
    parser.add_argument("--composed", type=Path)
    parser.add_argument("--rules", type=Path, default=PACKAGED)
    given = parser.parse_args(argv)
    lines = given.heard.read_text("utf-8").splitlines()
    heard = {row["text"]: float(row["value"]) for row in map(json.loads, lines)}
    rows = read_rows(given.labelled, given.composed, composed_weight=1.0)
    fitter = Fitter(KeywordClassifier(load(given.rules)), rows)
    ruled = held_out(fitter)
    digests = [sha256(row.text.encode("utf-8", "surrogatepass")) for row in rows]
    both = [place for place, digest in enumerate(digests) if digest in heard]
    x = np.array([[logit(float(ruled[place])), logit(heard[digests[place]])] for place in both])
    y = np.array([float(rows[place].positive) for place in both])
    counts = np.array([rows[place].weight for place in both])
    keyword, neural, bias = logistic(x, y, counts / counts.mean()).tolist()
    fusion = {"bias": round(bias, 3), "weights": {"keyword": round(keyword, 3), "neural": round(neural, 3)}}
    print(json.dumps({"rows": len(both), "promos": int(y.sum()), "fusion": fusion}))  # noqa: T201 - a maker's command
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
