"""A student that sees the directions of edges instead of pixels: little to learn, soon learned.

In torch, not by scikit-image: histograms are made of augmented batches, in every step.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cctranslate.emotions import NUM_CLASSES

CELL, BINS = 4, 8
"""A cell's side in pixels, and the directions that are told apart."""
FLOOR = 0.02
"""Magnitude of gradients below which a neighborhood counts as flat."""


class GradientHistograms(nn.Module):
    """Faces [N,1,48,48] -> histograms [N,8,12,12] of gradients (Dalal and Triggs 2005).

    A gradient counts in the bins near its direction, by its magnitude. Histograms are divided by
    the magnitude in the 3x3 cells about them, so that light does not matter.
    """

    directions: Tensor

    def __init__(self) -> None:
        super().__init__()
        angles = torch.arange(BINS) * (2 * math.pi / BINS)
        self.register_buffer("directions", torch.stack([angles.cos(), angles.sin()], 1))

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            framed = F.pad(x.float(), (1, 1, 1, 1), mode="replicate")[:, 0]
            # By differences and a product: three times as fast as convolutions of so few channels.
            across = framed[:, 1:-1, 2:] - framed[:, 1:-1, :-2]
            down = framed[:, 2:, 1:-1] - framed[:, :-2, 1:-1]
            scale = (across.square() + down.square()).sqrt().add(1e-6).rsqrt()
            gradient = torch.stack([across * scale, down * scale], 1)
            along = torch.einsum("nchw,bc->nbhw", gradient, self.directions)
            cells = F.avg_pool2d(along.relu_().square_(), CELL)
            energy = cells.square().sum(1, keepdim=True)
            near = F.avg_pool2d(energy, 3, 1, 1, count_include_pad=False).sqrt()
            return (cells / (near + FLOOR)).sqrt()


class GradientStudent(nn.Module):
    """Three convolutions on histograms of gradients; `width` multiplies their channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        a, b, c = 32 * width, 32 * width, 64 * width
        self.body = nn.Sequential(
            *(GradientHistograms(), nn.BatchNorm2d(BINS)),
            *_convolution(BINS, a),
            *(*_convolution(a, b), nn.AvgPool2d(2)),
            *(*_convolution(b, c), nn.AvgPool2d(2)),
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(9 * c, NUM_CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits [N,7]."""
        logits: Tensor = self.head(self.body(x))
        return logits


def _convolution(c_in: int, c_out: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(c_in, c_out, 3, 1, 1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU()
