"""Add the head that says which faces are hard to change to a bundle's face presence network.

    python tests/bench/networks/face_presence/hardness.py fer2013.csv LANDMARKS -o weights/bundle

LANDMARKS is the file of landmarks in a run of recipe `teacher`; it is made if it is not there. The
network itself stays as it is: the head reads its last features. It learns which Training faces are
hard by their landmarks (`faces/hardness.py`), mirrored ones too. The threshold is where four in
five of the marked Training faces that were held back are hard; PublicTest is only measured on.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from cctranslate.bundle import CARD, FACE_PRESENCE, entry
from cctranslate.faces.hardness import are_hard
from cctranslate.inference.sessions import OnnxRuntimeGraph
from cctranslate.pixels import Gray, to_scaled
from cctranslate.training.data import fer2013, landmarks

OUTPUT = "hard"
WIDTH = 32
HELD_BACK = 2800
PRECISION = 0.8
EPOCHS, BATCH = 12, 512


def train(seen: Tensor, hard: Tensor) -> nn.Sequential:
    """Return a head whose logits [N,1] say of features `seen` [N,C] whether a face is hard."""
    torch.manual_seed(0)
    head = nn.Sequential(
        nn.Linear(seen.shape[1], WIDTH), nn.ReLU(), nn.Dropout(0.3), nn.Linear(WIDTH, 1)
    )
    deviation, mean = torch.std_mean(seen, 0)
    optimizer = torch.optim.AdamW(head.parameters(), weight_decay=1e-2)
    steps = EPOCHS * -(-len(seen) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(EPOCHS):
        for some in torch.split(torch.randperm(len(seen)), BATCH):
            logits = head((seen[some] - mean) / (deviation + 1e-6))[:, 0]
            loss = F.binary_cross_entropy_with_logits(logits, hard[some])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    first = head[0]
    assert isinstance(first, nn.Linear)
    with torch.no_grad():  # what a feature is divided by becomes part of its weights
        first.weight.div_(deviation + 1e-6)
        first.bias.sub_(first.weight @ mean)
    return head.eval()


def threshold(logits: NDArray[np.floating], hard: NDArray[np.bool_]) -> float:
    """Return the lowest logit from which on at least `PRECISION` of the faces are hard."""
    order = np.argsort(-logits)
    precision = np.cumsum(hard[order]) / np.arange(1, len(order) + 1)
    return float(logits[order[np.flatnonzero(precision >= PRECISION).max()]])


def with_head(model: onnx.ModelProto, features: str, head: nn.Sequential) -> onnx.ModelProto:
    """Return a graph with one more output, of a head that reads its tensor `features`."""
    graph = model.graph
    arrays = {name: value.numpy() for name, value in head.state_dict().items()}
    arrays["axis"] = np.array([1])
    for name, value in arrays.items():
        graph.initializer.append(numpy_helper.from_array(value, f"{OUTPUT}.{name}"))
    first, second = ([f"{OUTPUT}.{i}.weight", f"{OUTPUT}.{i}.bias"] for i in (0, 3))
    graph.node.extend(
        [
            helper.make_node("Gemm", [features, *first], [f"{OUTPUT}.wide"], transB=1),
            helper.make_node("Relu", [f"{OUTPUT}.wide"], [f"{OUTPUT}.positive"]),
            helper.make_node("Gemm", [f"{OUTPUT}.positive", *second], [f"{OUTPUT}.row"], transB=1),
            helper.make_node("Squeeze", [f"{OUTPUT}.row", f"{OUTPUT}.axis"], [OUTPUT]),
        ]
    )
    graph.output.append(helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, ["N"]))
    onnx.checker.check_model(model)
    return model


def features(model: onnx.ModelProto, name: str, faces: Gray) -> Tensor:
    """Return a graph's tensor `name` [N,C] for faces [N,48,48]."""
    seen = onnx.ModelProto()
    seen.CopyFrom(model)
    seen.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.onnx"
        onnx.save(seen, path)
        graph = OnnxRuntimeGraph(path)
    pieces = (to_scaled(faces[i : i + 256])[:, None] for i in range(0, len(faces), 256))
    return torch.from_numpy(np.concatenate([graph.run([name], {"faces": p})[0] for p in pieces]))


@torch.no_grad()
def logits(head: nn.Sequential, seen: Tensor) -> NDArray[np.float32]:
    """Return the head's logits [N] of features [N,C]."""
    return np.asarray(head(seen)[:, 0].numpy(), np.float32)


def main() -> None:
    """Train the head, add it to the bundle's network, and measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "landmarks"):
        parser.add_argument(name, type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    words = parser.parse_args()
    path = words.out / f"{FACE_PRESENCE}.onnx"
    model = onnx.load(path)
    if len(model.graph.output) > 1:
        parser.error(f"{path} has the head already: train the network again first (train.py)")
    last = next(node.input[0] for node in model.graph.node if node.op_type == "Gemm")
    splits = fer2013.load(words.data)
    training, test = splits["Training"], splits["PublicTest"]
    found = landmarks.load_or_find(words.landmarks, training.images)
    hard = are_hard(found.points, found.has_landmarks)
    order = np.random.default_rng(0).permutation(len(hard))
    held_back, learned = order[:HELD_BACK], order[HELD_BACK:]
    both = np.concatenate([training.images[learned], training.images[learned][:, :, ::-1]])
    wanted = torch.from_numpy(hard[learned].astype(np.float32)).repeat(2)
    head = train(features(model, last, both), wanted)

    held = logits(head, features(model, last, training.images[held_back]))
    with torch.no_grad():
        list(head.parameters())[-1].sub_(threshold(held, hard[held_back]))
    marked = logits(head, features(model, last, test.images)) >= 0
    found = landmarks.find(test.images)
    are = are_hard(found.points, found.has_landmarks)
    figures = {
        "marked": round(float(marked.mean()), 3),
        "are hard": round(float(are[marked].mean()), 3),
        "of the hard": round(float(marked[are].mean()), 3),
    }
    onnx.save(with_head(model, last, head), path)
    card = json.loads((words.out / CARD).read_text(encoding="utf-8"))
    card["files"][FACE_PRESENCE] = entry(path)
    card[FACE_PRESENCE]["marked_as_hard"] = figures
    (words.out / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
