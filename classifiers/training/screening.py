"""Fits the screen, and finds how quiet a text must be for the encoder to pass it over."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sparse  # type: ignore[import-untyped, import-not-found, unused-ignore]
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from classifiers.dataset import Row, weights
from classifiers.screen import LONGEST, Screen, buckets
from classifiers.training import evasion
from classifiers.training.voices import rounded
from domain.signs import codes_of
from domain.text import fold_all

_BATCH = 2000
MARGIN = 0.3
"""Log-odds under the measured threshold: the shipped screen is fitted on some rows more than the one it was measured with."""


def matrix(texts: Sequence[str], *, bits: int) -> sparse.csr_matrix:
    """(texts, 2**bits): n-gram counts as `Screen` hears them."""
    return sparse.vstack([_piece(texts[at : at + _BATCH], bits=bits) for at in range(0, len(texts), _BATCH)]).tocsr()


def _piece(texts: Sequence[str], *, bits: int) -> sparse.csr_matrix:
    codes, starts = codes_of(fold_all(texts).texts)
    columns = np.concatenate(list(buckets(codes, bits=bits)))
    rows = np.tile(np.repeat(np.arange(len(texts)), np.diff(starts)), LONGEST)
    real = columns > 0
    counts = np.maximum(np.bincount(rows[real], minlength=len(texts)), 1)
    values = (1.0 / np.sqrt(counts))[rows[real]].astype(np.float32)
    return sparse.csr_matrix((values, (rows[real], columns[real])), shape=(len(texts), 2**bits))


def fit(rows: Sequence[Row], *, plan: Mapping[str, Any], seed: int) -> tuple[NDArray[np.int8], float, float]:
    """(weights, their step, bias) from rows and evaded copies of some of them."""
    draw = random.Random(seed)
    own = weights(rows)
    texts, wanted, counts = [row.text for row in rows], [int(row.suspected) for row in rows], list(own)
    for row, weight in zip(rows, own, strict=True):
        if draw.random() < plan["evaded_share"]:
            texts.append(evasion.evade(row.text, draw))
            wanted.append(int(row.suspected))
            counts.append(weight * 0.5)
    model = LogisticRegression(C=plan["strength"], solver="liblinear", tol=1e-3, random_state=seed)
    model.fit(matrix(texts, bits=plan["bits"]), np.array(wanted), sample_weight=np.array(counts))
    steps, scale = rounded(model.coef_[0])
    return steps, scale, float(model.intercept_[0])


def least(screen: Screen, promos: Sequence[str], *, lost: float) -> float:
    """The most log-odds at which, of promos that it has not seen, no more than the share `lost` stays below."""
    heard = np.sort(screen.logits(*codes_of(fold_all(promos).texts)))
    return float(heard[int(lost * len(heard))]) - MARGIN if len(heard) else -99.0
