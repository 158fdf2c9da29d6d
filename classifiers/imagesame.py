"""Whether two pictures are the same one, sent on: a perceptual hash finds candidates, their pixels decide.

A hash alone would not do: two posters from one template that differ in a single digit of the telephone number have the same one.
"""

from __future__ import annotations

import cv2
import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifiers.imagefile import Pixels

HASH_BITS = 64
DISTANCE_MOST = 4
"""Bits in which the hashes of one picture may differ: at most 4 at half size or JPEG quality 40; others differ in 8 and more (measured)."""
SIDE = 1024
"""Longest side at which pixels are compared."""
BLOCK = 10
"""Side of the squares that are compared: about a digit of small print at SIDE."""
BLOCK_MOST = 9.0
"""Grey levels by which a square may differ on the average. Scaled and recompressed posters: at most 7.0. One digit changed: 37 and more,
in print of 20 pixels on a sheet of 1,440 at least 9.7 (measured on 24 posters, `wangxun bench images`)."""


def phash(picture: Pixels) -> str:
    """64 bits of the picture's coarse shape as 16 hexadecimal digits."""
    return str(imagehash.phash(Image.fromarray(picture)))


def distance(one: str, other: str) -> int:
    """In how many bits two hashes differ, 0-64."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def difference(one: Pixels, other: Pixels) -> float:
    """By how many grey levels the two differ in the square where they differ most; 255.0 for another shape."""
    if abs(one.shape[1] / one.shape[0] / (other.shape[1] / other.shape[0]) - 1.0) > 0.02:
        return 255.0
    share = min(1.0, SIDE / max(one.shape), *(max(part.shape) / max(one.shape) for part in (one, other)))
    size = (max(BLOCK, round(one.shape[1] * share)), max(BLOCK, round(one.shape[0] * share)))
    first, second = _small(one, size), _small(other, size)
    spread = float(second.std())
    gain = min(1.25, max(0.8, float(first.std()) / spread)) if spread > 1.0 else 1.0  # a little lighter or darker is no difference
    gap = np.abs(first - float(first.mean()) - gain * (second - float(second.mean())))
    blocks = cv2.blur(gap, (BLOCK, BLOCK))
    return float(blocks.max())


def same(one: Pixels, other: Pixels) -> bool:
    """Whether what can be read in the two must be the same."""
    return difference(one, other) <= BLOCK_MOST


def _small(picture: Pixels, size: tuple[int, int]) -> NDArray[np.float32]:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.GaussianBlur(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), (0, 0), 1.0), dtype=np.float32)
