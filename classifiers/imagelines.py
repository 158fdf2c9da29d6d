"""Lines of a picture in the order in which a person reads them: along the page's own slant, columns of vertical text from the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifiers.imageocr import Quad

JOIN_GAP = 1.2
"""Pieces of a row closer than this many line heights are one line: the detector cuts at wide blanks and at changes of colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one box says."""

    text: str
    score: float
    """The recogniser's own, 0.0-1.0."""
    quad: Quad
    along: tuple[float, float]
    """The direction of reading in the picture, a unit vector."""

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in pixels, upright."""
        left, top = np.floor(self.quad.min(axis=0)).astype(int)
        right, bottom = np.ceil(self.quad.max(axis=0)).astype(int)
        return int(left), int(top), int(right), int(bottom)


def in_order(lines: Sequence[Line]) -> list[Line]:
    """Sorted as they are read, pieces of one row joined."""
    if not lines:
        return []
    along = _page_direction(lines)
    rows = [line for line in lines if _dot(line.along, along) >= 0.5]
    across = [line for line in lines if _dot(line.along, along) < 0.5]  # vertical text on a page of rows, or the other way round
    # A page on its side and columns of upright characters are the same to sort: both go on to the left of what reads downwards.
    return _rows(rows, along) + sorted(across, key=lambda line: (-float(line.quad[:, 0].mean()), float(line.quad[:, 1].min())))


def _page_direction(lines: Sequence[Line]) -> tuple[float, float]:
    """The direction of most of the text, by its length: a median of those that lie within 45 degrees of the heaviest one."""
    vectors = np.array([line.along for line in lines])
    weights = np.array([max(1, len(line.text)) * line.score for line in lines])
    near = vectors @ vectors.T > 0.7
    heaviest = int(np.argmax(near @ weights))
    chosen = near[heaviest]
    sums = (vectors[chosen] * weights[chosen, None]).sum(axis=0)
    norm = float(np.linalg.norm(sums)) or 1.0
    return float(sums[0] / norm), float(sums[1] / norm)


def _dot(one: tuple[float, float], other: tuple[float, float]) -> float:
    return one[0] * other[0] + one[1] * other[1]


def _rows(lines: Sequence[Line], along: tuple[float, float]) -> list[Line]:
    """Rows from the top, each from its beginning; `along` is the page's direction of reading."""
    across = np.array([-along[1], along[0]])
    spans = []
    for line in lines:
        x, y = line.quad @ np.array(along), line.quad @ across
        spans.append((float(x.min()), float(x.max()), float(y.mean()), float(_height(line.quad, across))))
    order = sorted(range(len(lines)), key=lambda at: spans[at][2])
    rows: list[list[int]] = []
    for at in order:
        middle, height = spans[at][2], spans[at][3]
        row = rows[-1] if rows else []
        level = float(np.mean([spans[one][2] for one in row])) if row else 0.0
        if row and abs(middle - level) < 0.5 * min(height, min(spans[one][3] for one in row)):
            row.append(at)
        else:
            rows.append([at])
    return [made for row in rows for made in _joined([(lines[at], spans[at]) for at in sorted(row, key=lambda one: spans[one][0])])]


def _height(quad: Quad, across: NDArray[np.float64]) -> float:
    """How high the line is, its slant left out: the shorter of its two mean sides."""
    sides = [float(np.linalg.norm(quad[a] - quad[b])) for a, b in ((0, 1), (1, 2), (2, 3), (3, 0))]
    return max(1.0, min((sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2))


def _joined(row: Sequence[tuple[Line, tuple[float, float, float, float]]]) -> list[Line]:
    """Pieces of a row that stand close made one, with a blank between them."""
    made: list[Line] = []
    end = 0.0
    for line, (begin, stop, _, height) in row:
        if made and begin - end < JOIN_GAP * height:
            last = made[-1]
            corners = np.concatenate([last.quad, line.quad])
            made[-1] = replace(
                last,
                text=f"{last.text} {line.text}",
                score=(last.score * len(last.text) + line.score * len(line.text)) / max(1, len(last.text) + len(line.text)),
                quad=_around(corners),
            )
        else:
            made.append(line)
        end = stop
    return made


def _around(corners: NDArray[np.float32]) -> Quad:
    left, top = corners.min(axis=0)
    right, bottom = corners.max(axis=0)
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)
