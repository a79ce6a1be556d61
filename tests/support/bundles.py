"""A tiny real bundle: graphs whose answers a test can work out, run by the real onnxruntime."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cctranslate import bundle

CORNER = (slice(0, 8), slice(0, 8))
MOUTH = (slice(32, 40), slice(20, 28))
SHIFT = 4.0
"""Pixels that the faces of a bundle with edits are moved to the left."""
Patch = tuple[slice, slice]


def write_bundle(
    folder: Path, patch: Patch = CORNER, edits: bool = False, presence: bool = False
) -> Path:
    """Write a bundle whose generator takes a patch of a face to a level for each target.

    It goes as far as the strength says. The judge reads that level back, so that each target
    is confirmed at full strength, but for faces that are bright in their middle: for those it
    says `neutral`. With `edits` it says how the face is moved and painted, too: only moved. With
    `presence` it takes pictures of one level for pictures without a face.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _save(_generator(patch, edits), folder / "generator.onnx")
    _save(_judge(patch), folder / "judge.onnx")
    if presence:
        _save(_face_presence(), folder / "face_presence.onnx")
    bundle.write_card(folder, recipe={"name": "tiny"}, judge={}, measured={})
    return folder


def _save(graph: onnx.GraphProto, path: Path) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _constant(name: str, value: object, kind: type = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(value, kind), name)


def _generator(patch: Patch, edits: bool) -> onnx.GraphProto:
    """translated[n, k] = face, but for an 8x8 patch on its way to -0.9 + 0.3 * target."""
    corner = np.zeros((1, 1, 1, 48, 48), np.float32)
    corner[..., *patch] = 1
    image: list[int | str] = ["N", "K", 1, 48, 48]
    outputs = {"translated": image}
    if edits:
        outputs |= {"flow": ["N", "K", 2, 48, 48], "paint": image}
    nodes = [
        helper.make_node("MatMul", ["labels", "levels"], ["level"]),  # [K,1]
        helper.make_node("Reshape", ["level", "as_image"], ["full_5d"]),  # [1,K,1,1,1]
        helper.make_node("Reshape", ["strength", "as_image"], ["strength_5d"]),
        helper.make_node("Mul", ["full_5d", "strength_5d"], ["level_5d"]),
        helper.make_node("Mul", ["level_5d", "corner"], ["stamp"]),
        helper.make_node("Unsqueeze", ["faces", "one"], ["faces_5d"]),  # [N,1,1,48,48]
        helper.make_node("Mul", ["strength_5d", "corner"], ["covered"]),
        helper.make_node("Mul", ["faces_5d", "covered"], ["dropped"]),
        helper.make_node("Sub", ["faces_5d", "dropped"], ["kept"]),
        helper.make_node("Add", ["kept", "stamp"], ["translated"]),
        helper.make_node("Sub", ["translated", "translated"], ["paint"]),
        helper.make_node("Mul", ["strength_5d", "shift"], ["moved"]),  # [1,K,2,1,1]
        helper.make_node("Add", ["paint", "moved"], ["flow"]),
    ]
    return helper.make_graph(
        nodes,
        "generator",
        [
            helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["N", 1, 48, 48]),
            helper.make_tensor_value_info("labels", TensorProto.FLOAT, ["K", 7]),
            helper.make_tensor_value_info("strength", TensorProto.FLOAT, ["K"]),
        ],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, d) for n, d in outputs.items()],
        [
            _constant("levels", [[-0.9 + 0.3 * k] for k in range(7)]),
            _constant("as_image", [1, -1, 1, 1, 1], np.int64),
            _constant("corner", corner),
            _constant("shift", np.array([SHIFT, 0]).reshape(1, 1, 2, 1, 1)),
            _constant("one", [1], np.int64),
        ],
    )


def _face_presence() -> onnx.GraphProto:
    """Return logits = brightest - darkest - 0.1; faces with a white pixel are hard."""
    nodes = [
        helper.make_node("ReduceMax", ["faces", "axes"], ["brightest"], keepdims=0),
        helper.make_node("ReduceMin", ["faces", "axes"], ["darkest"], keepdims=0),
        helper.make_node("Sub", ["brightest", "darkest"], ["range"]),
        helper.make_node("Sub", ["range", "limit"], ["logits"]),
        helper.make_node("Sub", ["brightest", "white"], ["hard"]),
    ]
    return helper.make_graph(
        nodes,
        "face_presence",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["N", 1, 48, 48])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"])
            for name in ("logits", "hard")
        ],
        [_constant("axes", [1, 2, 3], np.int64), _constant("limit", 0.1), _constant("white", 1.0)],
    )


def _judge(patch: Patch) -> onnx.GraphProto:
    """Softmax over the patch's nearness to each level; `neutral` if the middle is bright."""
    corner, middle = np.zeros((2, 48 * 48, 1), np.float32)
    corner.reshape(48, 48)[patch] = 1 / 64
    middle.reshape(48, 48)[20:28, 20:28] = 1 / 64
    pull = np.zeros((1, 7), np.float32)
    pull[0, 6] = 1
    nodes = [
        helper.make_node("Reshape", ["faces", "flat"], ["x"]),
        helper.make_node("MatMul", ["x", "corner"], ["level"]),  # [N,1]
        helper.make_node("Sub", ["level", "levels"], ["gap"]),  # [N,7]
        helper.make_node("Abs", ["gap"], ["distance"]),
        helper.make_node("Mul", ["distance", "steep"], ["nearness"]),
        helper.make_node("MatMul", ["x", "middle"], ["bright"]),
        helper.make_node("Sub", ["bright", "limit"], ["over"]),
        helper.make_node("Relu", ["over"], ["excess"]),
        helper.make_node("Mul", ["excess", "pull"], ["pulled"]),
        helper.make_node("Add", ["nearness", "pulled"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    return helper.make_graph(
        nodes,
        "judge",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["N", 1, 48, 48])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 7])],
        [
            _constant("flat", [-1, 48 * 48], np.int64),
            _constant("corner", corner),
            _constant("middle", middle),
            _constant("levels", [[-0.9 + 0.3 * k for k in range(7)]]),
            _constant("steep", -20.0),
            _constant("limit", 0.8),
            _constant("pull", pull * 1000),
        ],
    )
