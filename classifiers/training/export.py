"""From a tuned state to one ONNX file, its weights stored in half precision where that costs nothing that matters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from classifiers.backends import Choice, computes_in_half
from classifiers.dataset import Row
from classifiers.encoder import EncoderVoice
from classifiers.training.recipe import Recipe
from classifiers.training.tune import speaker
from classifiers.training.voices import ids_of

WORTH = 0.003
"""Average precision on the rows put aside that rounding may cost."""
LARGE = 1024
"""Numbers of a weight from which halving it is worth a node."""


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
    """(the file to ship, average precision on `rows` of each way of storing it).

    Shipped are half-precision weights; `half` computes with them in full, `bf16` as OpenVINO does. Dynamic int8 is measured beside it and
    not shipped: its steps follow the largest value in the batch, so that a text's score would depend on the company it is judged in.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from sklearn.metrics import average_precision_score

    half, small = full.with_name("model.half.onnx"), full.with_name("model.int8.onnx")
    _halved(full, half)
    quantize_dynamic(full, small, weight_type=QuantType.QInt8)
    wanted = np.array([row.suspected for row in rows])
    ids = ids_of([row.text for row in rows], tokenizer)
    found = {}
    ways: list[tuple[str, Path, Choice]] = [(name, path, "onnxruntime") for name, path in (("fp32", full), ("half", half), ("int8", small))]
    if computes_in_half():
        ways.append(("bf16", half, "openvino"))
    for name, path, choice in ways:
        scores = _scores(path, ids, characters=recipe.pretrain["characters"] - 2, choice=choice)
        found[name] = round(float(average_precision_score(wanted, scores)), 4)
    return (half if found["half"] >= found["fp32"] - WORTH else full), found


def _halved(full: Path, half: Path) -> None:
    """Stores every large weight as float16 with a cast behind it, which ONNX Runtime folds away at loading."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(full))
    graph = model.graph
    casts = []
    for weight in graph.initializer:
        if weight.data_type == TensorProto.FLOAT and int(np.prod(weight.dims)) >= LARGE:
            name = weight.name
            weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float16), f"{name}.half"))
            casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, str(half))


def _scores(path: Path, ids: Sequence[NDArray[np.int64]], *, characters: int, choice: Choice) -> NDArray[np.float64]:
    voice = EncoderVoice(path.read_bytes(), characters=characters, threads=2, choice=choice)
    pieces = [voice.pieces(one) for one in ids]
    suspected, _, _ = voice.run([piece for own in pieces for piece in own])
    owners = np.repeat(np.arange(len(ids)), [len(own) for own in pieces])
    sums = np.bincount(owners, weights=suspected, minlength=len(ids))
    return sums / np.bincount(owners, minlength=len(ids))
