"""Graphs on OpenVINO, which computes bfloat16 on processors that have it.

The plain `openvino` wheel reads the same ONNX files. (`onnxruntime-openvino` is not used: it
shares onnxruntime's module name and falls back to another provider without a word.) Its import
sends a usage event through the package `openvino_telemetry` and leaves an ID in HOME; where that
package cannot be imported, OpenVINO does without.
"""

import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from cctranslate.errors import BundleError, DeviceError
from cctranslate.pixels import Floats

_TELEMETRY = "openvino_telemetry"
Precision = Literal["f32", "bf16"]
_Shapes = tuple[tuple[str, tuple[int, ...]], ...]


class OpenVinoGraph:
    """A graph on OpenVINO, compiled for each shape of inputs that it is given.

    A fixed shape is two to three times as quick as an open one. Several threads may run it at
    once, each on one core.
    """

    def __init__(self, path: Path, precision: Precision, threads: int) -> None:
        """Read a graph that at most `threads` threads will run at once.

        Raises:
            DeviceError: OpenVINO is not installed, or the processor has no such precision.
            BundleError: OpenVINO cannot read the graph.
        """
        self._path, self._precision, self._threads = path, precision, threads
        self._core = _core()
        if precision == "bf16" and "BF16" not in _capabilities(self._core):
            raise DeviceError("--precision bf16: this processor cannot compute it: use f32")
        try:
            model = self._core.read_model(path)
        except RuntimeError as error:
            raise self._unusable(error) from None
        self.inputs = frozenset(port.any_name for port in model.inputs)
        self.outputs = frozenset(port.any_name for port in model.outputs)
        self._compiled: dict[_Shapes, Any] = {}
        self._lock = threading.Lock()
        self._requests = threading.local()

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Floats]) -> list[Floats]:
        """Return the named outputs.

        Raises:
            BundleError: The graph does not take these inputs or give these outputs.
        """
        try:
            request = self._request(tuple((name, array.shape) for name, array in inputs.items()))
            results = request.infer(dict(inputs), share_inputs=True)
            # Copied: a request's next run writes to the same memory.
            return [results[name].copy() for name in outputs]
        except (RuntimeError, KeyError) as error:
            raise self._unusable(error) from error

    def _request(self, shapes: _Shapes) -> Any:
        """Return this thread's request for inputs of such shapes."""
        if not hasattr(self._requests, "by_shape"):
            self._requests.by_shape = {}
        mine: dict[_Shapes, Any] = self._requests.by_shape
        if shapes not in mine:
            with self._lock:
                if shapes not in self._compiled:
                    self._compiled[shapes] = self._compile(shapes)
            mine[shapes] = self._compiled[shapes].create_infer_request()
        return mine[shapes]

    def _compile(self, shapes: _Shapes) -> Any:
        model = self._core.read_model(self._path)
        model.reshape({name: list(shape) for name, shape in shapes})
        return self._core.compile_model(
            model,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": self._precision,
                "INFERENCE_NUM_THREADS": self._threads,
                "NUM_STREAMS": self._threads,
                "ENABLE_CPU_PINNING": False,
            },
        )

    def _unusable(self, error: Exception) -> BundleError:
        # OpenVINO's first lines name its source files; the last one says what is wrong.
        lines = [line for line in str(error).splitlines() if line.strip()]
        reason = lines[-1].strip() if lines else type(error).__name__
        return BundleError(f"{self._path}: OpenVINO cannot run it: {reason}")


def _core() -> Any:
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError:
        raise DeviceError(
            "--engine openvino, --precision bf16: need OpenVINO: pip install "
            "'cctranslate[openvino]'"
        ) from None
    return openvino.Core()


def _capabilities(core: Any) -> list[str]:
    listed: list[str] = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return listed
