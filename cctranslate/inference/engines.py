"""Which engine runs a bundle's graphs: onnxruntime on CUDA or the CPU, or OpenVINO on the CPU."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import util
from pathlib import Path
from typing import Literal, Protocol

from cctranslate.bundle import Bundle
from cctranslate.errors import BundleError, DeviceError
from cctranslate.inference.openvino_graphs import OpenVinoGraph, Precision
from cctranslate.inference.sessions import CPU, CUDA, OnnxRuntimeGraph, cores, no_cuda, providers
from cctranslate.pixels import Floats

Engine = Literal["auto", "onnxruntime", "openvino"]
OPENVINO = "OpenVINO"
AMX = "amx_tile"


class Graph(Protocol):
    """A graph that several threads may run at once."""

    inputs: frozenset[str]
    outputs: frozenset[str]

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Floats]) -> list[Floats]:
        """Return the named outputs."""


@dataclass(frozen=True, kw_only=True)
class Backend:
    """How graphs are run."""

    engine: Literal["onnxruntime", "openvino"]
    precision: Precision
    provider: str
    """onnxruntime's name of its provider, or OpenVINO."""
    open: Callable[[Path], Graph]
    concurrent_runs: int
    """Runs of a graph at once."""
    batch_size: int
    """Faces a run, unless the user has named another number."""
    max_results: int
    """Results a run at most: its memory grows with them, by 1 to 3 MB each."""
    shapes: Literal["any", "powers", "fixed"]
    """Numbers of faces that a run may have: any; powers of two, as each new shape costs CUDA a
    search and memory; one only, as OpenVINO compiles the graph for it."""


def choose(
    bundle: Bundle, device: str, engine: Engine, precision: Precision, threads: int | None = None
) -> Backend:
    """Return the backend for a device, an engine, a precision and a number of processors.

    `auto` goes by what is installed and what the processor has, never by a timing: a run that
    goes on later must make the same choice.

    Raises:
        DeviceError: They do not go together, or cannot be used here.
        BundleError: A graph that cannot be loaded.
    """
    wanted = providers(device)
    if wanted != [CPU] and engine != "openvino" and precision == "f32":
        if _runs_on_cuda(bundle, wanted, device):
            return Backend(
                engine="onnxruntime",
                precision=precision,
                provider=CUDA,
                open=partial(OnnxRuntimeGraph, providers=wanted),
                # One prepares its inputs and rounds its outputs while the other computes.
                concurrent_runs=2,
                batch_size=256,
                max_results=2048,
                shapes="powers",
            )
        if device.startswith("cuda"):
            raise no_cuda(device)
    if device.startswith("cuda"):
        raise DeviceError(f"--device {device} runs onnxruntime in f32: leave out the other option")
    if engine == "onnxruntime" and precision != "f32":
        raise DeviceError(f"--precision {precision} needs --engine openvino")
    threads = threads or cores()
    if _wants_openvino(engine, precision):
        return _openvino(precision, threads)
    return _onnxruntime(threads)


def _onnxruntime(threads: int) -> Backend:
    return Backend(
        engine="onnxruntime",
        precision="f32",
        provider=CPU,
        open=OnnxRuntimeGraph,
        concurrent_runs=threads,
        batch_size=16,
        max_results=64,
        shapes="any",
    )


def _openvino(precision: Precision, threads: int) -> Backend:
    return Backend(
        engine="openvino",
        precision=precision,
        provider=OPENVINO,
        open=partial(OpenVinoGraph, precision=precision, threads=threads),
        concurrent_runs=threads,
        batch_size=16,
        max_results=64,
        shapes="fixed",
    )


def _wants_openvino(engine: Engine, precision: Precision) -> bool:
    """In f32 it is quicker than onnxruntime on processors with AMX, and no slower to start."""
    if engine == "auto" and precision == "f32":
        return util.find_spec("openvino") is not None and AMX in processor_flags()
    return engine != "onnxruntime"


def processor_flags() -> frozenset[str]:
    """Return what Linux lists of the processor's instruction sets; elsewhere nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line for line in lines if line.startswith("flags")), "").split())


def _runs_on_cuda(bundle: Bundle, wanted: list[object], device: str) -> bool:
    """Where CUDA is half installed, onnxruntime raises or falls back as it sees fit."""
    try:
        return OnnxRuntimeGraph(bundle.judge, wanted).provider == CUDA
    except BundleError:
        if device == "auto":
            return False
        raise
