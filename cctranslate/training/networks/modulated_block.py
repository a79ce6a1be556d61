"""The residual block of our generator's networks, which the target expression modulates."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn


def convolution(inputs: int, outputs: int) -> nn.Module:
    """Return a 3x3 convolution that keeps the size of features."""
    return nn.Conv2d(inputs, outputs, 3, 1, 1)


class ModulatedBlock(nn.Module):
    """Two convolutions; features are scaled and shifted by the style (FiLM, Perez et al. 2018)."""

    def __init__(
        self,
        width: int,
        style: int,
        layer: Callable[[int, int], nn.Module] = convolution,
    ) -> None:
        """Begin as the identity, for features of `width` channels and styles of length `style`."""
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.film = nn.Linear(style, 2 * width)
        self.conv1 = layer(width, width)
        self.conv2 = layer(width, width)
        nn.init.zeros_(self.conv2.weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Turn features [N,width,H,W] into others by styles [N,S]."""
        scale, shift = self.film(style)[:, :, None, None].chunk(2, 1)
        h = F.silu(self.norm(x) * (1 + scale) + shift)
        changed: Tensor = self.conv2(F.silu(self.conv1(h)))
        return x + changed
