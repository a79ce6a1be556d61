"""Convert graphs to float16: half the size, and faster on GPUs that compute in it."""

from pathlib import Path

import numpy as np

from cctranslate.errors import Float16Error
from cctranslate.inference.sessions import OnnxRuntimeGraph

TOLERANCE = 3e-2
"""The largest difference in [-1, 1] that passes: four gray levels, in one pixel of all."""


def halve(path: Path, **inputs: np.ndarray) -> float:
    """Convert a graph's weights and computations to float16; inputs and outputs stay float32.

    A graph in float16 stays as it is.

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
