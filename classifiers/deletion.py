"""Which sentence speaks: the one without which the text would be least of a suspicion. Checked by deleting it, not by asking the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

_STOP = re.compile(r"[。!?;！？；\n]+|(?<=[^\d.])\.(?=\s|$)|…+")
_SOFT = re.compile(r"[,，、]|\s")
MOST = 12
"""Parts of one text that are tried: later ones are joined."""
LONG = 60
"""Characters from which a sentence is cut at its commas."""
CHECKED = 2
"""Parts of one text that the dear voice is asked about."""
Voice = Callable[[Sequence[str]], NDArray[np.float64]]
"""Log-odds of texts, one each."""
LEAST = 0.5
"""Log-odds that a deletion must take away before a part is named: below it the whole text speaks."""


def sentences(text: str) -> list[tuple[int, int]]:
    """Half-open spans that cover the text, in order: sentences, long ones cut at a comma; at most MOST."""
    found: list[tuple[int, int]] = []
    for start, end in _cut(text, 0, len(text), _STOP):
        found += _cut(text, start, end, _SOFT) if end - start > LONG else [(start, end)]
    merged: list[tuple[int, int]] = []
    for start, end in found:
        # A clause of a few characters says nothing by itself.
        if merged and (end - start < 6 or merged[-1][1] - merged[-1][0] < 6):
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    if len(merged) > MOST:
        merged = [*merged[: MOST - 1], (merged[MOST - 1][0], merged[-1][1])]
    return merged


def _cut(text: str, start: int, end: int, stop: re.Pattern[str]) -> list[tuple[int, int]]:
    found, at = [], start
    for m in stop.finditer(text, start, end):
        found.append((at, m.end()))
        at = m.end()
    return [*found, (at, end)] if at < end else found


def speaking(texts: Sequence[str], logits: Sequence[float], judge: Voice, *, quick: Voice) -> list[tuple[int, int]]:
    """For each text the span whose deletion lowers its log-odds most; the whole text where none lowers it by LEAST.

    `logits` are the texts' own by `judge`, the dear voice. `quick`, a cheap one, says which CHECKED parts of each are worth asking about.
    """
    parts = [own if len(own) > 1 else [] for own in map(sentences, texts)]
    ranked = _ranked(texts, parts, quick)
    tried = [text[:start] + text[end:] for text, own in zip(texts, ranked, strict=True) for start, end in own]
    left = iter(judge(tried).tolist()) if tried else iter(())
    found = []
    for text, logit, own in zip(texts, logits, ranked, strict=True):
        best, span = LEAST, (0, len(text))
        for part in own:
            drop = logit - next(left)
            if drop > best:
                best, span = drop, part
        found.append(span)
    return found


def _ranked(texts: Sequence[str], parts: Sequence[Sequence[tuple[int, int]]], quick: Voice) -> list[list[tuple[int, int]]]:
    """Of each text's parts the CHECKED ones without which the quick voice hears least of a suspicion."""
    tried = [text[:start] + text[end:] for text, own in zip(texts, parts, strict=True) for start, end in own]
    left = iter(quick(tried).tolist()) if tried else iter(())
    ranked = []
    for own in parts:
        heard = [(next(left), part) for part in own]
        ranked.append([part for _, part in sorted(heard)[:CHECKED]])
    return ranked
