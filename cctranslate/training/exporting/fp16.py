"""Weights and computations in float16: half the size, and faster on GPUs that compute in it."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from cctranslate.errors import Float16Error
from cctranslate.inference.sessions import OnnxRuntimeGraph

TOLERANCE = 3e-2
"""The largest difference in [-1, 1] that passes: four gray levels, in one pixel of all."""


LARGE = 1024
"""Numbers that a weight has, at least, to be stored in float16."""


@torch.no_grad()
def round_weights(network: nn.Module) -> None:
    """Round a network's weights to float16, so that `pack_weights` loses nothing of them.

    It also packs large tensors that are not trained, such as those that noise is made by.
    """
    large = [tensor for tensor in network.state_dict().values() if tensor.numel() >= LARGE]
    for weight in [*network.parameters(), *large]:
        weight.copy_(weight.half())


def pack_weights(path: Path) -> None:
    """Store a graph's large weights in float16, half the size; it computes in float32 as before.

    onnxruntime and OpenVINO convert them back once, when they load the graph.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(path)
    graph, casts = model.graph, []
    for weight in list(graph.initializer):
        values = numpy_helper.to_array(weight)
        if weight.data_type != onnx.TensorProto.FLOAT or values.size < LARGE:
            continue
        packed = f"{weight.name}_float16"
        graph.initializer.remove(weight)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), packed))
        casts.append(helper.make_node("Cast", [packed], [weight.name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, path)


def halve(path: Path, **inputs: np.ndarray) -> float:
    """Convert a graph's weights and computations to float16; inputs and outputs stay float32.

    A graph in float16 stays as it is. So does one whose weights are packed: halve it before.

    Returns:
        The largest difference of the outputs for `inputs`; inputs that the graph lacks are ignored.

    Raises:
        Float16Error: The outputs differ too much.
    """
    import onnx
    from onnxruntime.transformers import float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    graph, expected = onnx.load(path), _outputs(path, inputs)
    if not any(weight.data_type == onnx.TensorProto.FLOAT16 for weight in graph.graph.initializer):
        halved = OnnxModel(float16.convert_float_to_float16(graph, keep_io_types=True))
        halved.topological_sort()  # the casts of what goes in come last otherwise
        onnx.save(halved.model, path)
    pairs = zip(expected, _outputs(path, inputs), strict=True)
    worst = max(float(np.abs(full - half).max()) for full, half in pairs)
    if not worst <= TOLERANCE:
        raise Float16Error(f"{path.name}: in float16 it differs by {worst:.2g}: leave out --half")
    return worst


def _outputs(path: Path, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    graph = OnnxRuntimeGraph(path)
    fed = {name: inputs[name] for name in sorted(graph.inputs)}
    return list(graph.run(sorted(graph.outputs), fed))
