"""Write torch modules as ONNX files, and compare what both compute on real faces."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cctranslate.errors import ExportError
from cctranslate.inference.sessions import OnnxRuntimeGraph

OPSET = 18
"""Version of ONNX's operators."""
TOLERANCE = 2e-3
"""The largest difference in [-1, 1] that passes: a quarter of a gray level."""
BATCHES = (1, 5)
"""Numbers of faces on which torch and onnxruntime are compared."""


@dataclass(frozen=True, kw_only=True)
class GraphNames:
    """The names of a graph's inputs and outputs, in order. The first input is the faces."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    sizes: dict[str, tuple[str, ...]]
    """For each of them the names of its leading dimensions, whose sizes may vary."""


CLASSIFIER = GraphNames(
    inputs=("faces",),
    outputs=("probabilities", "features"),
    sizes=dict.fromkeys(("faces", "probabilities", "features"), ("N",)),
)


def translator_names(redraws_mouths: bool) -> GraphNames:
    """Return the names of a translator's graph, with the output `mouth` if it redraws mouths."""
    outputs = ("translated", "flow", "paint") + (("mouth",) if redraws_mouths else ())
    return GraphNames(
        inputs=("faces", "labels", "strength"),
        outputs=outputs,
        sizes={
            "faces": ("N",),
            "labels": ("K",),
            "strength": ("K",),
            **dict.fromkeys(outputs, ("N", "K")),
        },
    )


def write_graph(graph: nn.Module, path: Path, names: GraphNames, *inputs: np.ndarray) -> float:
    """Write a graph to `path`; return the largest difference of onnxruntime's outputs from torch's.

    Args:
        graph: In evaluation mode.
        path: The ONNX file.
        names: Of its inputs and outputs.
        *inputs: Example inputs; the first are real faces [N,1,48,48] in [-1,1].

    Raises:
        ExportError: The outputs differ too much.
    """
    import onnx  # noqa: F401 - torch needs it, but its error would not name it

    with warnings.catch_warnings():
        # The TorchScript exporter is deprecated, but the new one needs another package and fixes
        # the number of targets. The graph is compared with torch afterwards anyway.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            tuple(map(torch.from_numpy, inputs)),
            str(path),
            opset_version=OPSET,
            dynamo=False,
            input_names=names.inputs,
            output_names=names.outputs,
            dynamic_axes={name: dict(enumerate(sizes)) for name, sizes in names.sizes.items()},
        )
    return _largest_difference(graph, path, names, *inputs)


@torch.inference_mode()
def _largest_difference(
    graph: nn.Module, path: Path, names: GraphNames, *inputs: np.ndarray
) -> float:
    onnx_graph = OnnxRuntimeGraph(path)
    worst = 0.0
    for size in BATCHES:
        values = [inputs[0][:size], *inputs[1:]]
        expected = graph(*map(torch.from_numpy, values))
        results = onnx_graph.run(names.outputs, dict(zip(names.inputs, values, strict=True)))
        for by_torch, by_onnx in zip(expected, results, strict=True):
            worst = max(worst, float(np.abs(by_torch.numpy() - by_onnx).max()))
    if not worst <= TOLERANCE:
        raise ExportError(f"{path.name}: onnxruntime and torch differ by {worst:.2g}")
    return worst
