"""The encoder voice: a small BERT on characters, exported to ONNX and run by ONNX Runtime. No torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.errors import ModelUnavailable

CLS, SEP, PAD = 2, 3, 0
STEP = 16
"""Lengths are padded to multiples of this, so that a batch is of one length and little of it is padding."""
BATCH = 32


class EncoderVoice:
    """Log-odds of windows of character numbers: suspected or not, the nine labels, the schemes."""

    def __init__(self, model: bytes, *, characters: int, threads: int = 1) -> None:
        """Raises ModelUnavailable when ONNX Runtime is missing or refuses the model."""
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelUnavailable("onnxruntime: is not installed; install it, or judge by keywords only") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ModelUnavailable(f"model.onnx: ONNX Runtime refuses it: {str(error)[:200]}; export it anew") from error
        self.characters = characters
        self.backend = f"onnxruntime {onnxruntime.__version__}"

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
            found = self._session.run(["suspected", "labels", "schemes"], {"ids": ids})
            suspected.append(found[0].reshape(-1))
            labels.append(found[1])
            schemes.append(found[2])
            start += len(same)
        back = np.argsort(order, kind="stable")
        return np.concatenate(suspected)[back], np.concatenate(labels)[back], np.concatenate(schemes)[back]
