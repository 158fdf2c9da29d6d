"""Plain torch, which the shipped way of running the encoder is measured against."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def plain_torch(size: Mapping[str, int], windows: Sequence[NDArray[np.int64]]) -> float:
    """Texts a second of a model of the same shape in plain torch, one by one in single precision; 0.0 where torch is missing.

    Its weights are drawn: they do not change how long it takes.
    """
    try:
        import torch
        from transformers import BertConfig, BertModel
    except ImportError:
        return 0.0
    torch.set_num_threads(1)
    config = BertConfig(
        vocab_size=size["vocabulary"],
        hidden_size=size["width"],
        num_hidden_layers=size["layers"],
        num_attention_heads=size["heads"],
        intermediate_size=size["inner"],
        max_position_embeddings=size["positions"],
    )
    model: Any = BertModel(config)
    model.eval()
    given = [torch.from_numpy(np.concatenate([[2], ids, [3]])[None]) for ids in windows]
    taken = []
    with torch.no_grad():
        model(given[0])
        for one in given:
            began = time.perf_counter()
            model(one)
            taken.append(time.perf_counter() - began)
    return 1 / statistics.median(taken)
