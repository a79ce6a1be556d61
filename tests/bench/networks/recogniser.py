"""Make the face recognizer of the loss `likeness` out of Human's `faceres`, a MobileNet of tfjs.

    python -m tests.bench.networks.recogniser faceres.json faceres.bin fer2013.csv weights

The files are those of `models/` in the npm package `@vladmandic/human`. Batch normalization and the
three equal channels of a gray face become part of the weights; the mean of the features of every
14th of FER2013's Training faces lies beside them, and the directions in which they differ most.
"""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from cctranslate.training.data import device_cache, fer2013
from cctranslate.training.networks.pretrained import face_recognizer
from cctranslate.training.networks.pretrained.face_recognizer import FaceRecognizer
from tests.bench.networks.stored_weights import store

NAME = "recogniser.npz"
EVERY = 14
PATH = click.Path(path_type=Path, exists=True)


@click.command()
@click.argument("graph", type=PATH)
@click.argument("weights", type=PATH)
@click.argument("data", type=PATH)
@click.argument("out", type=PATH)
def main(graph: Path, weights: Path, data: Path, out: Path) -> None:
    """Convert, add mean and axes, and write file and card."""
    network = FaceRecognizer().eval()
    description = json.loads(graph.read_text(encoding="utf-8"))
    convert(network, description, weights.read_bytes())
    faces = device_cache.scaled(torch.from_numpy(fer2013.load(data)["Training"].images[::EVERY]))
    with torch.inference_mode():
        found = torch.cat([network(batch) for batch in torch.split(faces, 64)])
        network.mean += found.mean(0)
        apart = F.normalize(found - network.mean).T.cov()
        network.axes += torch.linalg.eigh(apart)[1].flip(1)[:, : face_recognizer.AXES].T
    store(
        network,
        out / NAME,
        face_recognizer.CARD,
        model="faceres, MobileNet features of faces (Savchenko, 2019, PeerJ CS 5:e197)",
        source="models/faceres of the npm package @vladmandic/human",
        licence="MIT, Copyright (c) 2021 Vladimir Mandic; its text is in LICENSE-recogniser",
    )


def convert(network: FaceRecognizer, graph: dict[str, Any], data: bytes) -> None:
    """Give the network the graph's weights."""
    arrays = read(graph, data)
    nodes = {node["name"]: node for node in graph["modelTopology"]["node"]}

    def given(node: str) -> torch.Tensor:
        """What a node is given besides the layer before."""
        return torch.from_numpy(arrays[nodes[node]["input"][1].split(":")[0]])

    first = given("conv1_bn/batchnorm_1/mul_1").permute(3, 2, 0, 1).sum(1, keepdim=True)
    pairs = [(first, given("conv1_bn/batchnorm_1/add_1"))]
    for i in range(1, len(face_recognizer.STRIDES) + 1):
        scale = given(f"conv_dw_{i}_bn/batchnorm_1/mul_1").reshape(-1, 1, 1, 1)
        each = given(f"conv_dw_{i}/depthwise").permute(2, 3, 0, 1) * scale
        pairs.append((each, given(f"conv_dw_{i}_bn/batchnorm_1/add_1")))
        point = given(f"conv_pw_{i}_bn/batchnorm_1/mul_1").permute(3, 2, 0, 1)
        pairs.append((point, given(f"conv_pw_{i}_bn/batchnorm_1/add_1")))
    state = dict(network.named_buffers())
    for i, (weight, bias) in enumerate(pairs):
        state |= {f"layers.{i}.weight": weight, f"layers.{i}.bias": bias.reshape(-1)}
    network.load_state_dict(state)


def read(graph: dict[str, Any], data: bytes) -> dict[str, NDArray[np.float32]]:
    """The graph's arrays, which lie one after the other, those of floats as halves."""
    arrays, at = {}, 0
    for group in graph["weightsManifest"]:
        for weight in group["weights"]:
            kind = np.dtype(weight.get("quantization", weight)["dtype"]).newbyteorder("<")
            count = int(np.prod(weight["shape"]))
            array = np.frombuffer(data, kind, count, at).reshape(weight["shape"])
            arrays[weight["name"]], at = array.astype(np.float32), at + array.nbytes
    return arrays


if __name__ == "__main__":
    main()
