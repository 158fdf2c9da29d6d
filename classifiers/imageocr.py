"""The recogniser's three models (rapidocr: PP-OCR) as plain steps: find boxes, tell upside down from upright, read a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from classifiers.backends import Choice, computes_in_half
from classifiers.imagefile import Pixels

Quad = NDArray[np.float32]
"""Four corners, clockwise from the top left as the detector saw it, in pixels: 4 x 2."""
DETECT_SIDE = 960
"""Longest side for finding boxes: the same lines as the default, three times faster (measured on 1080p)."""
SHAPES_KEPT = 0
"""Compiled layers that OpenVINO keeps for shapes it may meet again; pictures come in too many."""
TALL = 1.5
"""A box this many times higher than wide is laid on its side to be read."""


@dataclass(slots=True)
class Engine:
    """The models, 100 MB. One thread at a time; `threads` of the processor are used."""

    threads: int
    choice: Choice = "auto"
    _models: Any = None

    def boxes(self, picture: Pixels, *, side: int = DETECT_SIDE) -> list[Quad]:
        """Boxes of lines, looked for at `side` pixels on the longest side."""
        ready, scale, top = _padded(picture, side=side)
        found = self._loaded().text_det(ready)
        if found.boxes is None:
            return []
        height, width = picture.shape[:2]
        quads = []
        for box in np.asarray(found.boxes, dtype=np.float32):
            box = (box - np.array([0, top], dtype=np.float32)) / scale
            quads.append(np.clip(box, 0, np.array([width, height], dtype=np.float32)).astype(np.float32))
        return quads

    def flips(self, crops: Sequence[Pixels]) -> list[float]:
        """How sure it is that each stands on its head: -1.0 (upright) to 1.0."""
        if not crops:
            return []
        answers = self._loaded().text_cls([one[:, :, ::-1] for one in crops]).cls_res
        return [score if "180" in label else -score for label, score in answers]

    def lines(self, crops: Sequence[Pixels]) -> list[tuple[str, float]]:
        """(text, 0.0-1.0) of each crop of one line."""
        from rapidocr.ch_ppocr_rec.typings import TextRecInput

        if not crops:
            return []
        found = self._loaded().text_rec(TextRecInput(img=[np.ascontiguousarray(one[:, :, ::-1]) for one in crops]))
        return [(str(text), float(score)) for text, score in zip(found.txts or (), found.scores, strict=True)]

    def _loaded(self) -> Any:
        if self._models is None:
            self._models = _load(threads=self.threads, choice=self.choice)
        return self._models


def _load(*, threads: int, choice: Choice) -> Any:
    """All three models: with OpenVINO where the processor computes in bf16 (3.5 times faster, the same lines), else ONNX Runtime."""
    from rapidocr import EngineType, RapidOCR

    params: dict[str, Any] = {
        "Det.limit_type": "max",
        "Det.limit_side_len": 4096,  # `boxes` has brought the picture to its size
        "Global.log_level": "critical",
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "EngineConfig.openvino.inference_num_threads": threads,
        "EngineConfig.openvino.num_streams": 1,
        "EngineConfig.openvino.enable_cpu_pinning": False,  # several processes on one machine must not all take the first core
    }
    if choice == "openvino" or (choice == "auto" and computes_in_half() and find_spec("openvino")):
        params |= {f"{part}.engine_type": EngineType.OPENVINO for part in ("Det", "Cls", "Rec")}
    models: Any = RapidOCR(params=params)
    for load in ("_load_det_model", "_load_cls_model", "_load_rec_model"):
        getattr(models, load)()
    if params.get("Det.engine_type") == EngineType.OPENVINO:
        for part in (models.text_det, models.text_cls, models.text_rec):
            _bound(part.session, threads=threads)
    return models


def _bound(session: Any, *, threads: int) -> None:
    """Compile the model again without OpenVINO's memory of every shape it has met: with it 45 pictures took 0.7 GB more (measured)."""
    import openvino

    plan: dict[str, Any] = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,
        "CPU_RUNTIME_CACHE_CAPACITY": SHAPES_KEPT,
    }
    session.session = openvino.Core().compile_model(session.model, "CPU", plan).create_infer_request()


def _padded(picture: Pixels, *, side: int) -> tuple[Pixels, float, int]:
    """(BGR at the detector's size, scale, rows added on top): flat strips get room, since it finds no line that fills its picture."""
    height, width = picture.shape[:2]
    scale = min(1.0, side / max(height, width))
    ready: NDArray[Any] = picture[:, :, ::-1]
    if scale < 1.0:
        ready = cv2.resize(ready, (max(16, round(width * scale)), max(16, round(height * scale))), interpolation=cv2.INTER_AREA)
        scale = ready.shape[1] / width
    short = min(ready.shape[:2])
    edge = max(0, (64 - short) // 2, (ready.shape[1] // 8 - ready.shape[0]) // 2)
    if edge:
        ready = cv2.copyMakeBorder(np.ascontiguousarray(ready), edge, edge, 0, 0, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(ready), scale, edge


def crop(picture: Pixels, quad: Quad) -> Pixels:
    """The box cut out and straightened, corners in the quad's order; empty boxes give one pixel."""
    width = max(1, round(float(max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[2] - quad[3])))))
    height = max(1, round(float(max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2])))))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
    made = cv2.warpPerspective(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC)
    return np.asarray(made, dtype=np.uint8)
