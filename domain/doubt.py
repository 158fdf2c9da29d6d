"""How much a person's word on a text would teach: the two judges disagree on it, or it lies close to where a hit opens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

SPAN = 0.15
"""Distance from the threshold of review within which a text is a borderline case: at the usual 0.5, where the odds are under two to one."""
LEARNS = 0.5
"""Doubt from which a hit is shown among those to learn from (待学习)."""


def doubt(scores: Iterable[Mapping[str, Any]], *, score: float, review: float) -> float:
    """0.0-1.0: the greater of how far the classifiers' scores lie apart, and how close the mixed score lies to `review`.

    `scores` are the rows of an assessment: `classifier` and `value`. A single classifier disagrees with nobody.
    """
    values = [float(one["value"]) for one in scores]
    apart = max(values) - min(values) if len(values) > 1 else 0.0
    near = max(0.0, 1.0 - abs(score - review) / SPAN)
    return min(1.0, max(apart, near))
