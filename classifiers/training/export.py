"""From a tuned state to one ONNX file, rounded to int8 where that costs nothing that matters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from classifiers.dataset import Row
from classifiers.encoder import EncoderVoice
from classifiers.training.recipe import Recipe
from classifiers.training.tune import speaker
from classifiers.training.voices import ids_of

WORTH = 0.003
"""Average precision on the rows put aside that rounding to int8 may cost."""


def export(state: Path, *, encoder: Path, out: Path) -> Path:
    """`model.fp32.onnx` under `out`: input `ids` (n, length) int64, outputs `suspected`, `labels`, `schemes`."""
    model = speaker(encoder)
    model.load_state_dict(torch.load(state, map_location="cpu", weights_only=True)["model"])
    model.eval()
    path = out / "model.fp32.onnx"
    free = {0: "texts", 1: "length"}
    with torch.no_grad():
        torch.onnx.export(
            model,
            (torch.randint(5, 50, (2, 16)),),
            str(path),
            input_names=["ids"],
            output_names=["suspected", "labels", "schemes"],
            dynamic_axes={"ids": free, "suspected": {0: "texts"}, "labels": {0: "texts"}, "schemes": {0: "texts"}},
            opset_version=17,
            dynamo=False,
        )
    return path


def rounded(full: Path, *, rows: Sequence[Row], tokenizer: Tokenizer, recipe: Recipe) -> tuple[Path, dict[str, float]]:
    """(the file to ship, average precision of both): int8 unless it costs more than WORTH on `rows`."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from sklearn.metrics import average_precision_score

    small = full.with_name("model.int8.onnx")
    quantize_dynamic(full, small, weight_type=QuantType.QInt8)
    wanted = np.array([row.suspected for row in rows])
    ids = ids_of([row.text for row in rows], tokenizer)
    found = {}
    for name, path in (("fp32", full), ("int8", small)):
        found[name] = round(float(average_precision_score(wanted, _scores(path, ids, characters=recipe.pretrain["characters"] - 2))), 4)
    return (small if found["int8"] >= found["fp32"] - WORTH else full), found


def _scores(path: Path, ids: Sequence[NDArray[np.int64]], *, characters: int) -> NDArray[np.float64]:
    voice = EncoderVoice(path.read_bytes(), characters=characters, threads=2)
    pieces = [voice.pieces(one) for one in ids]
    suspected, _, _ = voice.run([piece for own in pieces for piece in own])
    owners = np.repeat(np.arange(len(ids)), [len(own) for own in pieces])
    sums = np.bincount(owners, weights=suspected, minlength=len(ids))
    return sums / np.bincount(owners, minlength=len(ids))
