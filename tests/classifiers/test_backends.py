"""The backends agree, the choice follows from the processor, and what is missing is said with the way out."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from classifiers import backends, manifest
from domain.errors import ModelUnavailable

MODEL = (manifest.PACKAGED / "model.onnx").read_bytes()
IDS = np.array([[2, *range(100, 114), 3], [2, *range(40, 50), 3, 0, 0, 0, 0]], dtype=np.int64)


def test_openvino_and_onnxruntime_say_alike() -> None:
    fast, plain = backends.choose(MODEL, choice="openvino"), backends.choose(MODEL, choice="onnxruntime")
    for one, other in zip(fast.run(IDS), plain.run(IDS), strict=True):
        assert one.shape == other.shape
        assert np.abs(one - other).max() < 0.3
    assert fast.name.startswith("openvino ")
    assert plain.name.startswith("onnxruntime ")


@pytest.mark.parametrize("choice", ["openvino", "onnxruntime"])
def test_a_text_is_answered_alike_alone_and_in_company(choice: backends.Choice) -> None:
    backend = backends.choose(MODEL, choice=choice)
    alone = backend.run(IDS[:1])[0]
    assert backend.run(IDS)[0][0] == pytest.approx(alone[0], abs=1e-6)
    assert (backend.run(IDS)[0] == backend.run(IDS)[0]).all()


def test_auto_follows_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "computes_in_half", lambda: True)
    assert backends.choose(MODEL).name.startswith("openvino ")
    monkeypatch.setattr(backends, "computes_in_half", lambda: False)
    assert backends.choose(MODEL).name.startswith("onnxruntime ")


def test_auto_without_openvino_goes_on_with_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "computes_in_half", lambda: True)
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert backends.choose(MODEL).name.startswith("onnxruntime ")
    with pytest.raises(ModelUnavailable, match="pip install openvino"):
        backends.choose(MODEL, choice="openvino")


@pytest.mark.parametrize("choice", ["openvino", "onnxruntime"])
def test_what_is_no_model_is_refused_by_name(choice: backends.Choice, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"model\.onnx: .* refuses it"):
        backends.choose(b"not a model", choice=choice)
