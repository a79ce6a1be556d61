"""Graphs on onnxruntime: which device runs them, and what their failures mean."""

import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import onnxruntime

from cctranslate.errors import BundleError, DeviceError, UnusableError
from cctranslate.pixels import Floats

if not hasattr(onnxruntime, "InferenceSession"):
    # onnxruntime and onnxruntime-gpu share files: removing one leaves only a part of the other.
    raise ModuleNotFoundError("onnxruntime is not whole: install it anew", name="onnxruntime")

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
_OUT_OF_MEMORY = ("failed to allocate memory", "out of memory", "bad_alloc", "alloc_failed")
"""What onnxruntime's CPU and CUDA allocators, CUDA and cuDNN write; there is no class for it."""


class OnnxRuntimeGraph:
    """A graph on onnxruntime. Several threads may run it at once, each on one core."""

    def __init__(self, path: Path, providers: Sequence[Any] = (CPU,)) -> None:
        """Load a graph.

        Raises:
            BundleError: The runtime cannot load it.
            DeviceError: Memory is short.
        """
        self._path = path
        self._session = _session(path, list(providers))
        self.provider: str = self._session.get_providers()[0]
        self.inputs = frozenset(value.name for value in self._session.get_inputs())
        self.outputs = frozenset(value.name for value in self._session.get_outputs())

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Floats]) -> list[Floats]:
        """Return the named outputs.

        Raises:
            DeviceError: Memory is short, or the device failed.
            BundleError: The graph does not take these inputs or give these outputs.
        """
        try:
            results: list[Floats] = self._session.run(list(outputs), dict(inputs))
        except Exception as error:
            raise self._explained(error) from error
        return results

    def _explained(self, error: Exception) -> UnusableError:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        if _is_short_of_memory(error):
            # What onnxruntime writes names its source files and the graph's nodes.
            return DeviceError(f"{self.provider}: memory is short: try a smaller --batch-size")
        states = onnxruntime.capi.onnxruntime_pybind11_state
        if isinstance(error, ValueError | states.InvalidArgument | states.InvalidGraph):
            return BundleError(f"{self._path}: onnxruntime cannot run it: {first}")
        return DeviceError(f"{self.provider}: {first}")


def providers(device: str) -> list[Any]:
    """Return onnxruntime's providers for `auto`, `cpu` or `cuda[:N]`, the preferred one first.

    Raises:
        DeviceError: `device` is none of these, or CUDA was named and this onnxruntime has none.
    """
    kind, _, number = device.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (number and not number.isdigit()):
        raise DeviceError(f"--device {device}: expected auto, cpu or cuda[:N]")
    listed = CUDA in onnxruntime.get_available_providers()
    if kind == "cuda" and not listed:
        raise no_cuda(device)
    if kind == "cpu" or not listed:
        return [CPU]
    if hasattr(onnxruntime, "preload_dlls"):
        # It prints each library that is missing, which a machine without CUDA need not read.
        with redirect_stdout(io.StringIO()):
            onnxruntime.preload_dlls()
    # Searching every algorithm for each new shape takes seconds; the heuristic's pick is as good.
    options = {"device_id": int(number or 0), "cudnn_conv_algo_search": "HEURISTIC"}
    return [(CUDA, options), CPU]


def no_cuda(device: str) -> DeviceError:
    """Return the error of a CUDA device that cannot be used."""
    return DeviceError(
        f"--device {device}: onnxruntime cannot use CUDA here: install 'cctranslate[gpu]' and a "
        "CUDA 13 driver, or use --device cpu"
    )


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _session(path: Path, wanted: list[Any]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # Fatal only: that CUDA cannot be used is reported in one line, by us.
    onnxruntime.set_default_logger_severity(4)
    options.log_severity_level = 4
    # One thread a run, and a run on each core: onnxruntime's threads wait for each other at every
    # node (issue 16304 there), and pin themselves, which fails noisily in containers.
    options.intra_op_num_threads = 1
    try:
        # On the CPU it prints nothing, and may be opened while results go to standard output.
        with nullcontext() if wanted == [CPU] else _stdout_to_stderr():
            return onnxruntime.InferenceSession(path, options, providers=wanted)
    except Exception as error:
        if _is_short_of_memory(error):
            raise DeviceError(f"{path}: memory is short to load it: free some") from None
        first = str(error).splitlines()[0]
        raise BundleError(f"{path}: onnxruntime cannot load it: {first}") from None


def _is_short_of_memory(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in _OUT_OF_MEMORY)


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Keep what onnxruntime prints to the stdout descriptor out of pipes.

    Nothing else may write to it meanwhile. A program without a window or a terminal may have none.
    """
    with suppress(AttributeError, ValueError, OSError):  # None, closed, without a reader
        sys.stdout.flush()
    try:
        saved = os.dup(1)
    except OSError:  # closed: nothing can be printed
        yield
        return
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
