"""What every classifier is to the rest of the house."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from domain.model import Document, Opinion
from domain.text import Folded


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


@runtime_checkable
class Folding(Protocol):
    """A classifier that takes texts already folded, so that a batch is folded once for all of them."""

    def of_folded(self, texts: Sequence[str], folded: Sequence[Folded]) -> list[Opinion]:
        """One Opinion a text, in order: what `judge` would say. `folded[i]` is the fold of `texts[i]`."""
        ...


@runtime_checkable
class Screening(Folding, Protocol):
    """A dear classifier with a cheap ear: it says beforehand which texts it could have anything to say about."""

    silent: Opinion
    """What it says of every other text."""

    def hears(self, folded: Sequence[str]) -> list[bool]:
        """For each folded text, in order, whether it must be read."""
        ...

    def of_heard(self, texts: Sequence[str], folded: Sequence[Folded]) -> list[Opinion]:
        """One Opinion a text, in order, as `of_folded`; `silent` where a look that costs less than the whole finds nothing."""
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
