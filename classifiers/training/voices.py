"""Fits the linear voice and the scheme heads (logistic regression on hashed n-grams) and rounds them to int8."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sparse  # type: ignore[import-untyped, import-not-found, unused-ignore]
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer

from classifiers.dataset import SCHEMES, Row, weights
from classifiers.linear import LinearVoice, SchemeVoice, ngrams
from classifiers.training import evasion
from classifiers.windows import windows
from domain.text import fold


def ids_of(texts: Sequence[str], tokenizer: Tokenizer) -> list[NDArray[np.int64]]:
    """Character numbers of each text, folded as at run time."""
    found = tokenizer.encode_batch([fold(text).text for text in texts], add_special_tokens=False)
    return [np.array(encoding.ids, dtype=np.int64) for encoding in found]


def matrix(ids: Sequence[NDArray[np.int64]], *, bits: int) -> sparse.csr_matrix:
    """One row of n-gram values a text."""
    found = [ngrams(one, bits=bits) for one in ids]
    starts = np.cumsum([0, *(len(buckets) for buckets, _ in found)])
    columns = np.concatenate([buckets for buckets, _ in found]) if found else np.zeros(0, dtype=np.int64)
    values = np.concatenate([one for _, one in found]) if found else np.zeros(0, dtype=np.float32)
    return sparse.csr_matrix((values, columns, starts), shape=(len(found), 2**bits))


def lessons(rows: Sequence[Row], plan: Mapping[str, Any], *, seed: int) -> tuple[list[str], NDArray[np.int64], NDArray[np.float64]]:
    """(texts, suspected, weights): the rows, evaded copies of them, and the windows of long texts that are not promos."""
    draw = random.Random(seed)
    own = weights(rows, composed_row=plan["composed_weight"])
    texts, wanted, counts = [row.text for row in rows], [int(row.suspected) for row in rows], list(own)
    for row, weight in zip(rows, own, strict=True):
        if draw.random() < plan["evaded_share"]:
            texts.append(evasion.evade(row.text, draw))
            wanted.append(int(row.suspected))
            counts.append(weight * plan["evaded_weight"])
        spans = windows(row.text)
        if len(spans) > 1 and not row.suspected:
            # At run time the worst window speaks, so windows of innocent articles must be known to be innocent.
            texts += [row.text[start:end] for start, end in spans]
            wanted += [0] * len(spans)
            counts += [weight * plan["window_weight"]] * len(spans)
    return texts, np.array(wanted), np.array(counts)


def rounded(values: NDArray[np.float64]) -> tuple[NDArray[np.int8], float]:
    """(int8 steps, size of a step)."""
    step = max(float(np.abs(values).max()) / 127.0, 1e-9)
    return np.round(values / step).astype(np.int8), step


def fit(rows: Sequence[Row], *, tokenizer: Tokenizer, plan: Mapping[str, Any], seed: int) -> LinearVoice:
    """The linear voice: mean of a model on all rows and one on the real rows alone, where there are any.

    The second keeps what only real text shows from being drowned by the composed rows; a mean of two linear models is one.
    """
    share = plan["real_share"] if any(not row.composed for row in rows) else 0.0
    total, bias = np.zeros(2 ** plan["bits"]), 0.0
    for part, own in ((1.0 - share, list(rows)), (share, [row for row in rows if not row.composed])):
        if part > 0.0 and own:
            texts, wanted, counts = lessons(own, plan, seed=seed)
            model = LogisticRegression(C=plan["strength"], solver="liblinear", tol=1e-3, random_state=seed)
            model.fit(matrix(ids_of(texts, tokenizer), bits=plan["bits"]), wanted, sample_weight=counts)
            total += part * model.coef_[0]
            bias += part * float(model.intercept_[0])
    steps, scale = rounded(total)
    return LinearVoice(steps, scale=scale, bias=bias)


def fit_schemes(rows: Sequence[Row], *, tokenizer: Tokenizer, plan: Mapping[str, Any], seed: int) -> SchemeVoice:
    """Scheme heads, from rows that name a scheme and a like number that name none."""
    draw = random.Random(seed)
    none = [row for row in rows if not row.schemes]
    named = [row for row in rows if row.schemes and (row.suspected or row.label == "adlaw_defect")]
    chosen = named + draw.sample(none, min(len(none), len(named)))
    x = matrix(ids_of([row.text for row in chosen], tokenizer), bits=plan["scheme_bits"])
    counts = np.array(weights(chosen))
    heads, scales, biases = [], [], []
    for slug in SCHEMES:
        wanted = np.array([slug in row.schemes and row.suspected for row in chosen]).astype(np.int64)
        if 0 < wanted.sum() < len(wanted):
            model = LogisticRegression(C=plan["strength"], solver="liblinear", random_state=seed)
            model.fit(x, wanted, sample_weight=counts * np.where(wanted, 3.0, 1.0))
            steps, step = rounded(model.coef_[0])
            heads.append(steps)
            scales.append(step)
            biases.append(float(model.intercept_[0]))
        else:
            heads.append(np.zeros(2 ** plan["scheme_bits"], dtype=np.int8))
            scales.append(1.0)
            biases.append(-9.0)
    return SchemeVoice(np.stack(heads), slugs=SCHEMES, scales=np.array(scales, dtype=np.float32), biases=np.array(biases, dtype=np.float32))
