"""Long texts cut into windows, so that one soliciting paragraph in a warning article is judged by itself."""

from __future__ import annotations

import re

WINDOW = 360
"""Characters of a window, at most. A solicitation with its promise and its contact fits."""
WHOLE = 1200
"""Characters up to which the whole text is judged as one as well."""
LEAST, MOST_PARAGRAPHS = 30, 60
_STOP = re.compile(r"[。!?;！？；]|\.{3,}|…")


def windows(text: str) -> list[tuple[int, int]]:
    """Half-open spans that cover the text, in order: paragraphs joined up to WINDOW, long ones cut at sentence ends."""
    if len(text) <= WINDOW:
        return [(0, len(text))]
    pieces: list[tuple[int, int]] = []
    at = 0
    for line in text.splitlines(keepends=True):
        pieces += _pieces(text, at, at + len(line))
        at += len(line)
    merged: list[tuple[int, int]] = []
    for start, end in pieces:
        if merged and end - merged[-1][0] <= WINDOW:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def paragraphs(text: str) -> list[tuple[int, int]]:
    """Lines of a text of several windows that could solicit by themselves; none where there are too many to be paragraphs."""
    result, at = [], 0
    for line in text.splitlines(keepends=True):
        if LEAST <= len(line) <= WINDOW:
            result.append((at, at + len(line)))
        at += len(line)
    return result if len(result) <= MOST_PARAGRAPHS else []


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    result = []
    while end - start > WINDOW:
        stops = [m.end() for m in _STOP.finditer(text, start + WINDOW // 3, start + WINDOW)]
        cut = stops[-1] if stops else start + WINDOW
        result.append((start, cut))
        start = cut
    if end > start:
        result.append((start, end))
    return result
