"""Ordinary text that solicits nothing, drawn from public sets: without it a model takes every notice for half a promo.

Nobody read these rows one by one: they are negatives by their source, and count less than rows that were read.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from classifiers import publicsets
from classifiers.dataset import Row
from classifiers.training import corpus
from classifiers.training.recipe import Recipe

STRETCH = 12
"""Characters in a row that a drawn text may not share with a text to avoid."""


def stretches(text: str) -> set[str]:
    """All runs of STRETCH characters, white space aside; the whole of a shorter text."""
    dense = "".join(text.split())
    return {dense[start : start + STRETCH] for start in range(max(1, len(dense) - STRETCH + 1))}


def drawn(folder: Path, *, recipe: Recipe, avoid: Iterable[str]) -> list[Row]:
    """The rows that `[negatives]` asks for, in a fixed draw; none that shares a stretch with a text of `avoid`."""
    taken = set().union(*(stretches(text) for text in avoid))
    draw = random.Random(recipe.seed)
    rows: list[Row] = []
    for name, wish in sorted(recipe.negatives.items()):
        texts = [text for text in dict.fromkeys(_texts(folder, name, only=wish.get("only"), recipe=recipe)) if len(text) >= 6]
        draw.shuffle(texts)
        kept: list[str] = []
        for text in texts:
            if len(kept) == wish["rows"]:
                break
            if taken.isdisjoint(stretches(text)):
                kept.append(text)
        rows += [Row(text=text, label=wish["label"], source=name, group=f"{name}:{number}", readers=0) for number, text in enumerate(kept)]
    return rows


def _texts(folder: Path, name: str, *, only: str | None, recipe: Recipe) -> Iterator[str]:
    if only is None:
        yield from corpus.lines(folder, name, composed=recipe.composed)
        return
    yield from (item.text for item in publicsets.read(folder, name) if item.label == only)
