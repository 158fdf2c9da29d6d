"""The linear voice: hashed character 1-4-grams under a logistic function, numpy only, a few hundred thousand texts a minute.

It is the plain baseline that a neural model has to beat, and it errs on other texts than the neural one, so the two are
heard together (`classifiers.neural`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

LONGEST = 4
BLOCK = 1 << 14
"""Characters that are heard at a time: what stays in a processor's cache."""
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


def _all_ngrams(texts: Sequence[NDArray[np.int64]], *, bits: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """(owners, buckets, values) of the n-grams of many texts, sorted by owner and bucket: what `ngrams` gives of each."""
    sizes = np.array([len(one) for one in texts], dtype=np.int64)
    base = np.concatenate(texts).astype(np.uint64) + np.uint64(1)
    owners = np.repeat(np.arange(len(texts)), sizes)
    left = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(base))  # characters from here to the text's end
    keys = []
    rolling = np.zeros(len(base), dtype=np.uint64)
    for size in range(1, min(LONGEST, int(sizes.max(initial=0))) + 1):
        rolling = rolling[: len(base) - size + 1] * _MIX[3] + base[size - 1 :] * _MIX[0]
        inside = left[: len(rolling)] >= size
        mixed = (rolling[inside] + np.uint64(size)) * _MIX[1]
        mixed ^= mixed >> np.uint64(29)
        mixed *= _MIX[2]
        keys.append((owners[: len(rolling)][inside] << bits) | (mixed >> np.uint64(64 - bits)).astype(np.int64))
    if not keys:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    found, counts = np.unique(np.concatenate(keys), return_counts=True)
    return found >> bits, found & ((1 << bits) - 1), 1.0 + np.log(counts)


class LinearVoice:
    """Log-odds that a text is a suspected promo, from its n-grams. Weights are int8 steps of `scale`."""

    def __init__(self, weights: NDArray[np.int8], *, scale: float, bias: float) -> None:
        self.weights = weights
        self.scale = scale
        self.bias = bias
        self.bits = int(np.log2(len(weights)))

    def logit(self, ids: NDArray[np.int64]) -> float:
        """Log-odds for one text of character numbers."""
        return float(self.logits([ids])[0])

    def logits(self, texts: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Log-odds, one a text of character numbers; the same text gets the same in any company."""
        total = np.full(len(texts), self.bias, dtype=np.float64)
        for start, end in _parts(texts):
            owners, buckets, values = _all_ngrams(texts[start:end], bits=self.bits)
            count = end - start
            weighed = np.bincount(owners, weights=values * self.weights[buckets], minlength=count)
            lengths = np.sqrt(np.bincount(owners, weights=np.square(values), minlength=count))
            total[start:end] += self.scale * weighed / np.maximum(lengths, 1e-9)
        return total


def _parts(texts: Sequence[NDArray[np.int64]]) -> Iterator[tuple[int, int]]:
    """Half-open ranges of texts of about BLOCK characters together, at least one text each."""
    start = size = 0
    for number, one in enumerate(texts):
        if size and size + len(one) > BLOCK:
            yield start, number
            start = number
            size = 0
        size += len(one)
    if start < len(texts):
        yield start, len(texts)


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
