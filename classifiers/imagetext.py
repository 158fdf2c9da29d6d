"""The text of a picture: boxes found, turned upright, read; doubtful pictures again with their contrast stretched; long ones in tiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from classifiers.backends import Choice
from classifiers.imagefile import Pixels
from classifiers.imagelines import Line, in_order
from classifiers.imageocr import DETECT_SIDE, TALL, Engine, Quad, crop

SCORE_LEAST = 0.5
"""Lines that the recogniser itself doubts more are noise: patterns, logos, textures."""
DOUBTFUL = 0.86
"""A picture whose characters score less on the average is looked at again."""
FAINT = 30.0
"""Grey levels of `contrast_of` below which a picture is evened before it is looked at; posters have 50 to 190 (measured)."""
FEW = 4
"""Characters below which a picture is looked at again: none were seen, or hardly any."""
LINES_MOST = 400
TILE_ASPECT = 3.0
"""A picture this many times higher than wide is cut into tiles: at the detector's size its text would be a few pixels high."""
TILE_LEAST = 2000
"""No tiles below this height in pixels."""
SHORT_SIDE = 420
"""Pixels that the detector sees of the short side at the least, as long as the long one stays under LONG_SIDE."""
LONG_SIDE = 2048
CONTRAST_SIDE = 1600
"""Longest side at which contrast is measured."""
NOTHING = 4.0
"""Grey levels by which the strongest spot of a picture must stand out to be worth a look."""
SMALL_PRINT = 12.0
"""Lines lower than this, as the detector sees them, are looked for again at twice the size: it misses some of their kind."""
_FRAMES = frozenset("口回日田品囗")
"""What the recogniser makes of a QR code's own squares, alone on a line."""


class TextReader:
    """Reads text out of pixels. One thread at a time."""

    def __init__(self, *, threads: int = 2, choice: Choice = "auto") -> None:
        self._engine = Engine(threads, choice)

    def read(self, picture: Pixels) -> list[Line]:
        """Lines in reading order, each with its box in pixels of `picture`."""
        found: list[Line] = []
        for tile, top in tiles(picture):
            shift = np.array([0, top], dtype=np.float32)
            for line in self._doubting(tile):
                _add(found, replace(line, quad=(line.quad + shift).astype(np.float32)))
        return in_order(found[:LINES_MOST])

    def _doubting(self, picture: Pixels) -> list[Line]:
        """One look; where the picture is faint, its print small or the look doubtful, another one, and what that adds."""
        contrast, most = contrast_of(picture)
        if most < NOTHING:
            return []
        faint = contrast < FAINT
        side = _side(picture)
        found = self._look(evened(picture) if faint else picture, side=side)
        small = _is_small(found, scale=min(1.0, side / max(picture.shape)))
        if _sure(found) and not small:
            return found
        again = self._look(picture if faint or small else evened(picture), side=min(2 * side, LONG_SIDE) if small else side)
        best, other = (again, found) if _worth(again) > _worth(found) else (found, again)
        for line in other:
            _add(best, line)
        return best

    def _look(self, picture: Pixels, *, side: int) -> list[Line]:
        quads = self._engine.boxes(picture, side=side)[:LINES_MOST]
        crops = [crop(picture, quad) for quad in quads]
        tall = [one.shape[0] >= TALL * one.shape[1] for one in crops]
        laid = [np.ascontiguousarray(np.rot90(one)) if high else one for one, high in zip(crops, tall, strict=True)]
        turned = self._turned(laid, tall)
        upright = [np.ascontiguousarray(one[::-1, ::-1]) if turn else one for one, turn in zip(laid, turned, strict=True)]
        lines = []
        for (text, score), quad, high, turn in zip(self._engine.lines(upright), quads, tall, turned, strict=True):
            text = text.strip()
            if score >= SCORE_LEAST and text and text not in _FRAMES:
                lines.append(Line(text=text, score=score, quad=quad, along=_along(quad, high=high, turn=turn)))
        return lines

    def _turned(self, laid: Sequence[Pixels], tall: Sequence[bool]) -> list[bool]:
        """Which crops stand on their heads: all that lie alike have one vote, weighted by length, since short ones mislead."""
        sure = self._engine.flips(laid)
        turned = [False] * len(laid)
        for high in (False, True):
            group = [at for at, one in enumerate(tall) if one == high]
            vote = sum(sure[at] * min(8.0, laid[at].shape[1] / laid[at].shape[0]) for at in group)
            for at in group:
                turned[at] = vote > 0
        return turned


def tiles(picture: Pixels) -> Iterator[tuple[Pixels, int]]:
    """(part, its top): the picture whole, or what a long one is cut into, between lines where there is a gap, else overlapping."""
    height, width = picture.shape[:2]
    if height < TILE_LEAST or height < TILE_ASPECT * width:
        yield picture, 0
        return
    length, overlap = max(640, round(1.3 * width)), max(96, round(0.2 * width))
    busy = _busy_rows(picture)
    top = 0
    while top + length < height:
        calm = np.flatnonzero(~busy[top + length - overlap : top + length])
        bottom = top + length - overlap + int(calm[-1]) if calm.size else top + length
        yield np.ascontiguousarray(picture[top:bottom]), top
        top = bottom if calm.size else bottom - overlap
    yield np.ascontiguousarray(picture[top:]), top


def _busy_rows(picture: Pixels) -> NDArray[np.bool_]:
    """Rows across which something is drawn, and those 8 pixels around them."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.int16)
    drawn = (np.abs(np.diff(grey, axis=1)) > 24).any(axis=1).astype(np.uint8)
    around: NDArray[np.uint8] = np.convolve(drawn, np.ones(17, dtype=np.uint8), mode="same")
    return around > 0


def _side(picture: Pixels) -> int:
    """The detector's longest side: more than usual for long strips, so that their short side stays legible."""
    long, short = max(picture.shape[:2]), min(picture.shape[:2])
    return int(max(DETECT_SIDE, min(LONG_SIDE, long * min(1.0, SHORT_SIDE / short))))


def _is_small(lines: Sequence[Line], *, scale: float) -> bool:
    """Whether much of the text is small print to the detector; never where it sees the picture at its full size."""
    heights = [min(np.linalg.norm(line.quad[0] - line.quad[3]), np.linalg.norm(line.quad[0] - line.quad[1])) * scale for line in lines]
    return scale < 0.75 and len(heights) >= 5 and float(np.percentile(heights, 30)) < SMALL_PRINT


def contrast_of(picture: Pixels) -> tuple[float, float]:
    """How much the drawing stands out from its ground, and its strongest spot, in grey levels.

    100 and more for ads, under 30 for what the eye strains at; the spot is 0 where nothing is drawn.
    """
    share = min(1.0, CONTRAST_SIDE / max(picture.shape))
    reduced = cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA) if share < 1.0 else picture
    grey, ground = _grey_and_ground(np.asarray(reduced, dtype=np.uint8))
    gap = np.abs(grey[::2, ::2].astype(np.float32) - ground[::2, ::2])
    return float(np.percentile(gap, 97)), float(gap.max())


def evened(picture: Pixels) -> Pixels:
    """Shadows divided out by the picture's own blur, grain smoothed, contrast stretched to the full range."""
    grey, ground = _grey_and_ground(picture)
    soft = cv2.GaussianBlur(grey, (0, 0), 0.8).astype(np.float32)
    flat = soft / np.maximum(ground.astype(np.float32), 4.0)
    low, high = np.percentile(flat[::2, ::2], (0.3, 99.7))
    stretched = np.clip((flat - low) * (255.0 / max(0.02, high - low)), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(stretched, cv2.COLOR_GRAY2RGB), dtype=np.uint8)


def _grey_and_ground(picture: Pixels) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The picture in grey, and what it is painted on: a median wider than any stroke."""
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    small = cv2.resize(grey, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    side = min(255, max(7, (min(small.shape) // 8) | 1))
    ground = cv2.resize(cv2.medianBlur(small, side), (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_LINEAR)
    return grey, np.asarray(ground, dtype=np.uint8)


def _along(quad: Quad, *, high: bool, turn: bool) -> tuple[float, float]:
    """The direction of reading: along the crop's upper edge, or down its left one where it was laid on its side."""
    vector = quad[3] - quad[0] if high else quad[1] - quad[0]
    length = float(np.linalg.norm(vector)) or 1.0
    sign = -1.0 if turn else 1.0
    return sign * float(vector[0]) / length, sign * float(vector[1]) / length


def _worth(lines: Sequence[Line]) -> float:
    """Characters, those surely read counting more."""
    return sum(len(line.text) * max(0.0, line.score - 0.4) for line in lines)


def _sure(lines: Sequence[Line]) -> bool:
    count = sum(len(line.text) for line in lines)
    return count >= FEW and sum(len(line.text) * line.score for line in lines) >= DOUBTFUL * count


def _add(found: list[Line], line: Line) -> None:
    """Keep a tile's line, unless the overlap has shown it already: then the fuller reading of the two stays."""
    area = cv2.contourArea(line.quad)
    for at in range(len(found) - 1, max(-1, len(found) - 60), -1):
        shared, _ = cv2.intersectConvexConvex(line.quad, found[at].quad)
        if shared > 0.5 * min(area, cv2.contourArea(found[at].quad)):
            if len(line.text) * line.score > len(found[at].text) * found[at].score:
                found[at] = line
            return
    found.append(line)
