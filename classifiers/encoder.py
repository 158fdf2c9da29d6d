"""The encoder voice: a small BERT on characters, exported to ONNX and run by what `classifiers.backends` chooses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.backends import Choice, choose

CLS, SEP, PAD = 2, 3, 0
STEP = 16
"""Lengths are padded to multiples of this, so that a batch is of one length and little of it is padding."""
BATCH = 32


class EncoderVoice:
    """Log-odds of windows of character numbers: suspected or not, the nine labels, the schemes."""

    def __init__(self, model: bytes, *, characters: int, threads: int = 1, choice: Choice = "auto") -> None:
        """Raises ModelUnavailable when no backend is there or it refuses the model."""
        self._backend = choose(model, threads=threads, choice=choice)
        self.characters = characters
        self.backend = self._backend.name

    def pieces(self, ids: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """`ids` cut into parts of at most `characters`, of nearly equal length; one empty part for no characters."""
        count = max(1, -(-len(ids) // self.characters))
        return list(np.array_split(ids, count))

    def run(self, windows: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """(suspected (n,), labels (n, 9), schemes (n, schemes)) log-odds, one row a window, in order."""
        lengths = np.array([-(-(len(ids) + 2) // STEP) * STEP for ids in windows])
        order = np.argsort(lengths, kind="stable")
        suspected: list[NDArray[np.float32]] = []
        labels: list[NDArray[np.float32]] = []
        schemes: list[NDArray[np.float32]] = []
        start = 0
        while start < len(order):
            # One length a batch, never padded to a longer neighbour: the same text scores the same in any company.
            length = lengths[order[start]]
            same = order[start : start + BATCH]
            same = same[lengths[same] == length]
            ids = np.full((len(same), length), PAD, dtype=np.int64)
            for row, index in enumerate(same):
                text = windows[index]
                ids[row, 0], ids[row, len(text) + 1] = CLS, SEP
                ids[row, 1 : len(text) + 1] = text
            found = self._backend.run(ids)
            suspected.append(found[0].reshape(-1))
            labels.append(found[1])
            schemes.append(found[2])
            start += len(same)
        back = np.argsort(order, kind="stable")
        return np.concatenate(suspected)[back], np.concatenate(labels)[back], np.concatenate(schemes)[back]
