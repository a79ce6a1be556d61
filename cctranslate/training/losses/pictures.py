"""Distances between results and their target pictures, fine or coarse."""

import torch.nn.functional as F
from torch import Tensor

POOLED = 4
"""Side in pixels of the squares that `coarse` averages."""
OUTSIDE = 0.5
"""Weight of single pixels outside the mask in `coarse`."""


def edges(x: Tensor, y: Tensor) -> Tensor:
    """Return the L1 [N] between the gradients of images [N,C,H,W], across and down."""
    across = (x[..., 1:] - x[..., :-1]) - (y[..., 1:] - y[..., :-1])
    down = (x[..., 1:, :] - x[..., :-1, :]) - (y[..., 1:, :] - y[..., :-1, :])
    return across.abs().mean((1, 2, 3)) + down.abs().mean((1, 2, 3))


def coarse(x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    """Return the L1 [N] between images' [N,C,H,W] means over 4x4 pixels, at every second pixel.

    Where the mask [N,1,H,W] is 0, single pixels count, too. Where it is 1, details are free.
    """
    difference = x - y
    pooled = F.avg_pool2d(difference, POOLED, POOLED // 2).abs().mean((1, 2, 3))
    return pooled + OUTSIDE * ((1 - mask) * difference.abs()).mean((1, 2, 3))
