"""Train and measure the small network that says of a 48x48 picture whether it shows a face.

    python tests/bench/networks/face_presence/train.py fer2013.csv ferplus.csv PICTURES \\
        -o weights/bundle

PICTURES is a folder of pictures without faces, such as the sample images of scikit-image. Every
second one is only measured on. The other negatives are drawn (noise, gradients, shapes, text) or
come from Training faces (shuffled blocks, small parts). The threshold is the one below which 0.5%
of the Training faces that were held back fall; PublicTest is only measured on.
"""

import argparse
import json
import math
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from cctranslate.bundle import CARD, FACE_PRESENCE, entry
from cctranslate.pixels import SIZE, Gray, to_scaled
from cctranslate.training.data import fer2013
from cctranslate.training.data.ferplus import load_votes
from tests.bench.networks.face_presence.negatives import DRAWN, crops, drawn, parts, shuffled

HELD_BACK = 2800
FLAGGED = 0.005
BATCH = 128
NOT_A_FACE = -1
"""The column of FER+ votes for `not a face`."""


class FacePresence(nn.Module):
    """The logits [N] that pictures [N,1,48,48] in [-1,1], of any contrast, show a face."""

    def __init__(self) -> None:
        super().__init__()
        widths = (1, 16, 32, 48, 64)
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(pairwise(widths)):
            side = 5 if i == 0 else 3
            layers += [
                nn.Conv2d(before, after, side, 2, side // 2),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3))
        self.classifier = nn.Linear(64 * 9, 1)

    def forward(self, faces: Tensor) -> Tensor:
        """Return the logits [N]."""
        centred = faces - faces.mean((1, 2, 3), keepdim=True)
        deviation = centred.square().mean((1, 2, 3), keepdim=True).sqrt()
        rows: Tensor = self.classifier(self.layers(centred / (deviation + 8 / 255)))
        return rows[:, 0]


def augmented(pictures: Tensor, tilt: Tensor) -> Tensor:
    """Return pictures [N,1,48,48] moved, turned by `tilt` [N], mirrored, dimmed and blurred."""
    n = len(pictures)
    scale, mirror = 1 + 0.07 * torch.randn(n), torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    turn = torch.stack([tilt.cos() * mirror, -tilt.sin(), tilt.sin() * mirror, tilt.cos()], 1)
    frame = torch.cat([(turn * scale[:, None]).view(n, 2, 2), 0.07 * torch.randn(n, 2, 1)], 2)
    grid = F.affine_grid(frame, [n, 1, SIZE, SIZE], align_corners=False)
    moved = F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    moved = moved * (0.3 + 0.7 * torch.rand(n, 1, 1, 1)) + 0.6 * torch.rand(n, 1, 1, 1) - 0.3
    soft = torch.rand(n) < 0.25
    moved[soft] = F.avg_pool2d(F.pad(moved[soft], (1, 1, 1, 1), mode="replicate"), 3, 1)
    grainy = torch.rand(n, 1, 1, 1) < 0.25
    noise = 0.1 * torch.rand(n, 1, 1, 1) * torch.randn_like(moved)
    return (moved + noise * grainy).clamp(-1, 1)


def train(faces: Gray, others: Gray, epochs: int) -> FacePresence:
    """Return a network that tells faces [N,48,48] from other pictures [M,48,48]."""
    torch.manual_seed(0)
    network = FacePresence()
    positive, negative = (torch.from_numpy(to_scaled(x))[:, None] for x in (faces, others))
    steps = epochs * len(faces) // BATCH
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    wanted = torch.cat([torch.ones(BATCH), torch.zeros(BATCH)])
    for step in range(steps):
        some = positive[torch.randint(len(positive), (BATCH,))]
        more = negative[torch.randint(len(negative), (BATCH,))]
        pictures = torch.cat(
            [
                augmented(some, 0.1 * torch.randn(BATCH)),
                augmented(more, 2 * math.pi * torch.rand(BATCH)),
            ]
        )
        loss = F.binary_cross_entropy_with_logits(network(pictures), wanted)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if step % 200 == 0:
            print(f"step {step} of {steps}: loss {float(loss):.4f}", flush=True)
    return network.eval()


@torch.no_grad()
def logits(network: FacePresence, faces: Gray) -> NDArray[np.float32]:
    """Return the logits [N] of pictures [N,48,48]."""
    pieces = [faces[i : i + 256] for i in range(0, len(faces), 256)]
    scaled = (torch.from_numpy(to_scaled(piece))[:, None] for piece in pieces)
    return np.asarray(torch.cat([network(piece) for piece in scaled]).numpy(), np.float32)


def main() -> None:
    """Train, measure, and write the network to a bundle."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "votes", "pictures"):
        parser.add_argument(name, type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=12)
    words = parser.parse_args()
    random, splits = np.random.default_rng(0), fer2013.load(words.data)
    votes, training = load_votes(words.votes), splits["Training"]
    is_face = [votes[int(row)][NOT_A_FACE] < 2 for row in training.rows]
    faces = random.permutation(training.images[np.array(is_face)])
    held_back, faces = faces[:HELD_BACK], faces[HELD_BACK:]
    paths = sorted(path for path in words.pictures.iterdir() if path.is_file())
    pictures = {p.name: np.asarray(Image.open(p).convert("L")) for p in paths}
    seen = list(pictures.values())[::2]
    others = [crops(picture, 8000 // len(seen), random) for picture in seen]
    others += [shuffled(faces, 7000, random), parts(faces, 4000, random)]
    others += [drawn(draw, 1500, random) for draw in DRAWN.values()]
    network = train(faces, np.concatenate(others), words.epochs)

    threshold = float(np.quantile(logits(network, held_back), FLAGGED))
    with torch.no_grad():
        network.classifier.bias.sub_(threshold)
    measured = {"PublicTest": splits["PublicTest"].images}
    measured |= {name: drawn(draw, 200, random) for name, draw in DRAWN.items()}
    measured |= {n: crops(p, 200, random) for n, p in list(pictures.items())[1::2]}
    flagged = {
        name: round(float((logits(network, images) < 0).mean()), 4)
        for name, images in measured.items()
    }
    write(network, words.out / f"{FACE_PRESENCE}.onnx")
    path = words.out / CARD
    card = json.loads(path.read_text(encoding="utf-8"))
    card["files"][FACE_PRESENCE] = entry(words.out / f"{FACE_PRESENCE}.onnx")
    card[FACE_PRESENCE] = {"flagged": flagged}
    path.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(flagged, indent=2))


def write(network: FacePresence, path: Path) -> None:
    """Write a network's graph."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the TorchScript exporter's deprecation
        torch.onnx.export(
            network,
            (torch.zeros(2, 1, SIZE, SIZE),),
            str(path),
            opset_version=18,
            dynamo=False,
            input_names=["faces"],
            output_names=["logits"],
            dynamic_axes={"faces": {0: "N"}, "logits": {0: "N"}},
        )


if __name__ == "__main__":
    main()
