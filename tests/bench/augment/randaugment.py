"""RandAugment (Cubuk et al. 2020) on batches of gray faces, two operations a face.

By hand: torchvision's works on one picture at a time, and is no part of what the tests need.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample

OPERATIONS = 2
MAGNITUDE = 0.3
"""Of the largest change: 9 of 30 in the paper's scale."""


def _moved(
    x: Tensor, rows: tuple[tuple[float, float, float], tuple[float, float, float]]
) -> Tensor:
    theta = torch.tensor(rows, device=x.device).expand(len(x), 2, 3)
    grid = affine_grid(theta, list(x.shape), align_corners=False)
    return grid_sample(x, grid, padding_mode="border", align_corners=False)


def _autocontrast(x: Tensor, m: float) -> Tensor:
    low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
    return (x - low) / (high - low).clamp(min=1e-3) * 2 - 1


def _equalized(x: Tensor, m: float) -> Tensor:
    ranks = x.flatten(1).argsort(1).argsort(1).float()
    return (ranks / (ranks.shape[1] - 1) * 2 - 1).view_as(x)


def _posterized(x: Tensor, m: float) -> Tensor:
    levels = int(2 ** round(8 - 4 * abs(m)))
    return ((x + 1) / 2 * (levels - 1)).round() / (levels - 1) * 2 - 1


OPS: tuple[Callable[[Tensor, float], Tensor], ...] = (
    lambda x, m: x,
    lambda x, m: _moved(x, ((1, -0.52 * m, 0), (0.52 * m, 1, 0))),
    lambda x, m: _moved(x, ((1, 0.3 * m, 0), (0, 1, 0))),
    lambda x, m: _moved(x, ((1, 0, 0), (0.3 * m, 1, 0))),
    lambda x, m: _moved(x, ((1, 0, 0.9 * m), (0, 1, 0))),
    lambda x, m: _moved(x, ((1, 0, 0), (0, 1, 0.9 * m))),
    lambda x, m: x + 0.9 * m,
    lambda x, m: torch.lerp(x.mean((1, 2, 3), keepdim=True), x, 1 + 0.9 * m),
    lambda x, m: x + 0.9 * m * (x - avg_pool2d(x, 3, 1, 1, count_include_pad=False)),
    lambda x, m: torch.where(x > 1 - 2 * abs(m), -x, x),
    _posterized,
    _autocontrast,
    _equalized,
)


def randaugment(x: Tensor) -> Tensor:
    """Return faces [N,1,48,48] in [-1,1], half of them mirrored, each changed by two operations."""
    x = torch.where(torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5, x.flip(3), x)
    for _ in range(OPERATIONS):
        drawn = torch.randint(2 * len(OPS), (len(x),), device=x.device)
        changed = x.clone()
        for number in set(drawn.tolist()):
            operation, sign = OPS[number // 2], MAGNITUDE * (1 - 2 * (number % 2))
            changed[drawn == number] = operation(x[drawn == number], sign)
        x = changed.clamp(-1, 1)
    return x
