"""Word boundaries, behind one private door: rjieba where it is installed, jieba otherwise (a test holds their tokens equal).

Segmentation costs more than everything else in the keyword layer, so it is asked only around a candidate term that could be part of
another word.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

_WEAK = 3
"""Frequency of a term that the dictionary does not know: seen as a word where nothing else claims its characters. One that it knows keeps
its own frequency."""


class Tokenizer(Protocol):
    """Cuts text into words whose lengths add up to the text's."""

    def cut(self, text: str) -> list[str]: ...


class _Rjieba:
    def __init__(self, words: Iterable[str] = ()) -> None:
        import rjieba

        self._jieba = rjieba.Jieba()
        for word in words:
            if not self._jieba.has_word(word):
                self._jieba.add_word(word, _WEAK, "n")

    def cut(self, text: str) -> list[str]:
        return list(self._jieba.cut(text, True))


class _Jieba:
    def __init__(self, words: Iterable[str] = ()) -> None:
        import logging

        import jieba

        jieba.setLogLevel(logging.WARNING)
        self._tokenizer = jieba.Tokenizer()
        self._tokenizer.initialize()
        for word in words:
            if not self._tokenizer.FREQ.get(word):
                self._tokenizer.add_word(word, _WEAK, "n")

    def cut(self, text: str) -> list[str]:
        return list(self._tokenizer.cut(text, HMM=True))


def tokenizer(words: Iterable[str] = ()) -> Tokenizer:
    """A tokenizer of one's own that also knows `words`: the fastest one that is installed."""
    try:
        return _Rjieba(words)
    except ImportError:
        return _Jieba(words)


class Boundaries:
    """Where words begin and end, for a dictionary that knows the terms of the rules."""

    def __init__(self, terms: Iterable[str]) -> None:
        self._words = tuple(term for term in terms if 1 < len(term) <= 8 and all("\u3400" <= c <= "\u9fff" for c in term))
        self._tokenizer: Tokenizer | None = None

    def stands_alone(self, text: str, start: int, end: int, *, margin: int = 12) -> bool:
        """Whether `text[start:end]` begins and ends where words do, judged by the `margin` characters on both sides."""
        if self._tokenizer is None:
            # Some tenths of a second for the dictionary: only once a text asks.
            self._tokenizer = tokenizer(self._words)
        left = max(0, start - margin)
        at, edges = left, {left}
        for word in self._tokenizer.cut(text[left : end + margin]):
            at += len(word)
            edges.add(at)
        return start in edges and end in edges
