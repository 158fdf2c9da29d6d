"""The screen: a linear voice so cheap that it hears every text, to decide which of them the encoder must read.

Hashed character 1-3-grams of folded text, one weight each, summed for a whole batch in one array. What neither the rules nor this voice
could take for a suspicion goes no further; how many suspected promos are lost by that is measured where the weights are made.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

LONGEST = 3
STRIDE = 300
"""Characters of a long text that are heard at once: the loudest stretch speaks, as a window does for the encoder."""
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
_BREAK = 0x0A


def buckets(codes: NDArray[np.uint32], *, bits: int) -> Iterator[NDArray[np.int64]]:
    """For each size of n-gram the bucket, 1 to 2**bits - 1, of the one that begins at each character; 0 where a line break is in it."""
    wide = codes.astype(np.uint64)
    broken = codes == _BREAK
    rolling = np.zeros(len(codes), dtype=np.uint64)
    ends = np.zeros(len(codes), dtype=np.bool_)
    for size in range(1, LONGEST + 1):
        last = np.roll(wide, 1 - size)
        rolling = (rolling + last + np.uint64(size)) * _MIX[size - 1]
        ends = ends | np.roll(broken, 1 - size)
        found = (rolling >> np.uint64(64 - bits)).astype(np.int64)
        found[ends] = 0
        found[len(codes) - size + 1 :] = 0
        yield found


def stretches(starts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(where each stretch begins, the text it is of): texts longer than STRIDE are heard in parts."""
    sizes = np.diff(starts)
    parts = np.maximum(1, -(-sizes // STRIDE))
    owner = np.repeat(np.arange(len(sizes)), parts)
    inner = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)
    return starts[owner] + inner * STRIDE, owner


class Screen:
    """Log-odds, uncalibrated, that a text is a suspected promo. Weights are int8 steps of `scale`."""

    def __init__(self, weights: NDArray[np.int8], *, scale: float, bias: float) -> None:
        self.weights = weights.astype(np.float32) * np.float32(scale)
        self.weights[0] = 0.0
        self.bias = bias
        self.bits = int(np.log2(len(weights)))

    def logits(self, codes: NDArray[np.uint32], starts: NDArray[np.int64]) -> NDArray[np.float64]:
        """One log-odds a text, for folded texts as `domain.signs.codes_of` gives them."""
        if len(starts) < 2:
            return np.zeros(0)
        total = np.zeros(len(codes), dtype=np.float32)
        count = np.zeros(len(codes), dtype=np.float32)
        for found in buckets(codes, bits=self.bits):
            total += self.weights[found]
            count += found > 0
        places, owner = stretches(starts)
        sums = np.add.reduceat(total, places)
        sizes = np.add.reduceat(count, places)
        heard = self.bias + sums / np.sqrt(np.maximum(sizes, 1.0))
        best = np.full(len(starts) - 1, -np.inf)
        np.maximum.at(best, owner, heard)
        return best
