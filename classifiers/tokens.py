"""Word boundaries, behind one private door: rjieba where it is installed, jieba otherwise (a test holds their tokens equal).

Segmentation costs more than everything else in the keyword layer, so it is asked only around a candidate term that could be part of
another word.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol


class Tokenizer(Protocol):
    """Cuts text into words whose lengths add up to the text's."""

    def cut(self, text: str) -> list[str]: ...


class _Rjieba:
    def __init__(self) -> None:
        import rjieba

        self._cut = rjieba.Jieba().cut if hasattr(rjieba, "Jieba") else rjieba.cut

    def cut(self, text: str) -> list[str]:
        return list(self._cut(text, True))


class _Jieba:
    def __init__(self) -> None:
        import logging

        import jieba

        jieba.setLogLevel(logging.WARNING)
        self._tokenizer = jieba.Tokenizer()

    def cut(self, text: str) -> list[str]:
        return list(self._tokenizer.cut(text, HMM=True))


@lru_cache(maxsize=1)
def tokenizer() -> Tokenizer:
    """The fastest one that is installed; loads its dictionary at the first cut."""
    try:
        return _Rjieba()
    except ImportError:
        return _Jieba()


def stands_alone(text: str, start: int, end: int, *, margin: int = 12) -> bool:
    """Whether `text[start:end]` begins and ends where words do, judged by the `margin` characters on both sides."""
    left = max(0, start - margin)
    piece = text[left : end + margin]
    at, edges = left, {left}
    for word in tokenizer().cut(piece):
        at += len(word)
        edges.add(at)
    return start in edges and end in edges
