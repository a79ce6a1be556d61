"""Discriminators of whole faces, mouths and eyes; mouths and eyes are cropped by landmarks.

A discriminator of whole faces misses flaws in a mouth that a viewer sees at once. One that only
sees mouths does not (component discriminators: GFPGAN, Wang et al. 2021).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cctranslate.emotions import NUM_CLASSES
from cctranslate.faces.alignment import EYE_POINTS, MOUTH_POINTS
from cctranslate.pixels import SIZE


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a face: `height` by `width` pixels around the mean of some landmarks."""

    landmarks: tuple[int, ...]
    """Indices of landmarks."""
    down: float = 0.0
    """How far below their mean its center is."""
    height: int
    width: int


PARTS = {
    "whole": Part(landmarks=EYE_POINTS + MOUTH_POINTS, height=SIZE, width=SIZE),
    "mouth": Part(landmarks=MOUTH_POINTS, height=20, width=28),
    # With brows, and the frown between them.
    "eyes": Part(landmarks=EYE_POINTS, down=-2.0, height=20, width=40),
}


@dataclass(frozen=True, kw_only=True)
class DiscriminatorInput:
    """Input of the discriminators: faces x [N,1,48,48], landmarks [N,5,2], expressions [N]."""

    x: Tensor
    points: Tensor
    classes: Tensor


def crop(x: Tensor, points: Tensor, part: Part) -> Tensor:
    """Crop a part [N,1,H,W] of faces [N,1,48,48] with landmarks [N,5,2].

    The crop is at whole pixels, within the picture: resampling would change its sharpness.
    """
    middle = points[:, list(part.landmarks)].mean(1)
    top = (middle[:, 1] + part.down - (part.height - 1) / 2).round().clamp(0, SIZE - part.height)
    left = (middle[:, 0] - (part.width - 1) / 2).round().clamp(0, SIZE - part.width)
    rows = top.long()[:, None] + torch.arange(part.height, device=x.device)
    columns = left.long()[:, None] + torch.arange(part.width, device=x.device)
    face = torch.arange(len(x), device=x.device)[:, None, None]
    return x[face, 0, rows[:, :, None], columns[:, None, :]][:, None]


class PartDiscriminator(nn.Module):
    """Convolutions without norms, with a logit of being real and one for each expression."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.PixelUnshuffle(2)]
        for c_in, c_out, stride in zip((4, *widths), widths, (1, 2, 1, 2), strict=False):
            layers += [nn.Conv2d(c_in, c_out, 3, stride, 1), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten())
        self.head = nn.Linear(4 * widths[-1], 1 + NUM_CLASSES)

    def forward(self, x: Tensor, classes: Tensor) -> Tensor:
        """Return logits [N] that crops [N,1,H,W] are of real faces of `classes` [N]."""
        logits = self.head(self.body(x.contiguous(memory_format=torch.channels_last))).float()
        realness: Tensor = logits[:, 0] + logits[:, 1:].gather(1, classes[:, None])[:, 0]
        return realness


class PartDiscriminators(nn.Module):
    """One discriminator for each part."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.networks = nn.ModuleDict({name: PartDiscriminator(widths) for name in PARTS})

    def forward(self, faces: DiscriminatorInput) -> dict[str, Tensor]:
        """Return each part's logits [N]."""
        return {
            name: network(crop(faces.x, faces.points, PARTS[name]), faces.classes)
            for name, network in self.networks.items()
        }
