"""What runs the encoder: OpenVINO in half precision where the processor computes in it, ONNX Runtime elsewhere. No torch.

On processors with bf16 OpenVINO is several times as fast as ONNX Runtime; without it they are alike and ONNX Runtime starts sooner. The
choice follows from the processor and from what is installed, never from a stopwatch: the same machine always gives the same scores.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from domain.errors import ModelUnavailable

Choice = Literal["auto", "openvino", "onnxruntime"]
OUTPUTS = ("suspected", "labels", "schemes")
Answer = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""(suspected (n, 1), labels (n, 9), schemes (n, schemes)) log-odds."""


class Backend(Protocol):
    """One loaded model."""

    name: str
    """With version and precision, such as `openvino 2026.4.1 bf16`."""

    def run(self, ids: NDArray[np.int64]) -> Answer:
        """The answers for character numbers (n, length), 0 where padded."""
        ...


class OnnxRuntime:
    """ONNX Runtime, single precision."""

    def __init__(self, model: bytes, *, threads: int) -> None:
        """Raises ModelUnavailable when the library is missing or refuses the model."""
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
        self.name = f"onnxruntime {onnxruntime.__version__} fp32"

    def run(self, ids: NDArray[np.int64]) -> Answer:
        suspected, labels, schemes = self._session.run(list(OUTPUTS), {"ids": ids})
        return suspected, labels, schemes


class OpenVino:
    """OpenVINO on the processor, in bf16 where the processor has it, in single precision where not."""

    def __init__(self, model: bytes, *, threads: int) -> None:
        """Raises ModelUnavailable when the library is missing or refuses the model."""
        try:
            import openvino
        except ImportError as error:
            raise ModelUnavailable("openvino: is not installed; add it with: pip install openvino") from error
        core = openvino.Core()
        half = _has_half(core)
        plan = {
            "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,  # several judging processes on one machine must not all take the first core
        }
        try:
            self._request = core.compile_model(core.read_model(model), "CPU", plan).create_infer_request()
        except Exception as error:
            raise ModelUnavailable(f"model.onnx: OpenVINO refuses it: {str(error)[:200]}; export it anew") from error
        self._outputs = [self._request.model_outputs[n] for n in range(len(OUTPUTS))]
        by_name = {name: output for output in self._outputs for name in output.names}
        self._outputs = [by_name[name] for name in OUTPUTS]
        self.name = f"openvino {openvino.__version__.split('-')[0]} {'bf16' if half else 'fp32'}"

    def run(self, ids: NDArray[np.int64]) -> Answer:
        found = self._request.infer({"ids": ids})
        suspected, labels, schemes = (np.array(found[output]) for output in self._outputs)
        return suspected, labels, schemes


def _has_half(core: Any) -> bool:
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def choose(model: bytes, *, threads: int = 1, choice: Choice = "auto") -> Backend:
    """The backend that is asked for; with `auto` the faster one that this processor supports. Raises ModelUnavailable with neither."""
    if choice == "openvino":
        return OpenVino(model, threads=threads)
    if choice == "auto" and computes_in_half():
        try:
            return OpenVino(model, threads=threads)
        except ModelUnavailable:
            pass  # not installed: slower, and just as right
    return OnnxRuntime(model, threads=threads)


def computes_in_half() -> bool:
    """Whether the processor multiplies in bf16, by its own word. False where the system does not say."""
    try:
        with Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as file:
            flags = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
