"""What every classifier is to the rest of the house."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from domain.model import Document, Opinion


@runtime_checkable
class Classifier(Protocol):
    """Judges texts one by one, and knows no rows and no pages."""

    name: str
    """Lower case, such as `keyword`; the key of its weight in rules/policy.yml."""
    version: str
    """Changes whenever the same text could get another score."""

    def judge(self, documents: Sequence[Document]) -> list[Opinion]:
        """One Opinion a document, in order. Every offset is in characters of the document's `text`."""
        ...


def logit(value: float) -> float:
    """Log-odds of a probability; 0 and 1 are held at +-13.8, so that one classifier never silences another."""
    value = min(max(value, 1e-6), 1.0 - 1e-6)
    return math.log(value / (1.0 - value))


def sigmoid(value: float) -> float:
    """Probability of log-odds; no overflow."""
    if value >= 0:
        return 1.0 / (1.0 + math.exp(-value))
    e = math.exp(value)
    return e / (1.0 + e)
