"""The linear voice: hashed character 1-4-grams under a logistic function, numpy only, a few hundred thousand texts a minute.

It is the plain baseline that a neural model has to beat, and it errs on other texts than the neural one, so the two are
heard together (`classifiers.neural`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LONGEST = 4
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], dtype=np.uint64)


def ngrams(ids: NDArray[np.int64], *, bits: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(buckets, values) of one text's 1-4-grams of character numbers, without [CLS] and [SEP].

    Buckets are distinct, 0 to 2**bits - 1, ascending; values are 1 + ln(count), scaled to length 1. Empty for no characters.
    """
    base = ids.astype(np.uint64) + np.uint64(1)
    found = []
    rolling = np.zeros(len(base), dtype=np.uint64)
    for size in range(1, min(LONGEST, len(base)) + 1):
        # rolling[i] becomes the hash of the `size` characters from i on
        rolling = rolling[: len(base) - size + 1] * _MIX[3] + base[size - 1 :] * _MIX[0]
        mixed = (rolling + np.uint64(size)) * _MIX[1]
        mixed ^= mixed >> np.uint64(29)
        mixed *= _MIX[2]
        found.append(mixed >> np.uint64(64 - bits))
    if not found:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    buckets, counts = np.unique(np.concatenate(found), return_counts=True)
    values = 1.0 + np.log(counts)
    return buckets.astype(np.int64), (values / np.sqrt(np.square(values).sum())).astype(np.float32)


class LinearVoice:
    """Log-odds that a text is a suspected promo, from its n-grams. Weights are int8 steps of `scale`."""

    def __init__(self, weights: NDArray[np.int8], *, scale: float, bias: float) -> None:
        self.weights = weights
        self.scale = scale
        self.bias = bias
        self.bits = int(np.log2(len(weights)))

    def logit(self, ids: NDArray[np.int64]) -> float:
        """Log-odds for one text of character numbers."""
        buckets, values = ngrams(ids, bits=self.bits)
        return self.bias + self.scale * float(values @ self.weights[buckets].astype(np.float32))


class SchemeVoice:
    """Which schemes a suspected promo shows, from its n-grams: one linear head a scheme, each for itself."""

    def __init__(
        self, weights: NDArray[np.int8], *, slugs: Sequence[str], scales: NDArray[np.float32], biases: NDArray[np.float32]
    ) -> None:
        """`weights` (schemes, 2**bits) in int8 steps of `scales` (schemes,)."""
        self.weights = weights
        self.slugs = tuple(slugs)
        self.scales = scales
        self.biases = biases
        self.bits = int(np.log2(weights.shape[1]))

    def chances(self, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        """0.0-1.0 for each of `slugs`, in their order."""
        buckets, values = ngrams(ids, bits=self.bits)
        logits = self.biases + self.scales * (self.weights[:, buckets].astype(np.float32) @ values)
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -30.0, 30.0))), dtype=np.float64)
