"""A pretrained network that saw many photographs, whose features a discriminator judges."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cctranslate.training.networks.pretrained.shipped_weights import filled

CARD = "picture_features.json"
ENLARGED = 4
"""Factor by which faces are enlarged: at 192 pixels teeth are as large as things in photographs."""
STAGES = ((3, 32, 128), (4, 64, 256))
"""Blocks, inner channels and channels of the stages that are used."""
CHANNELS = tuple(wide for _, _, wide in STAGES)


class PictureFeatures(nn.Module):
    """The first two stages of a thin ResNet50: feature maps of parts of gray faces.

    It is Yahoo's open_nsfw (Mahadeokar and Pesavento 2016), which was trained on ImageNet first.
    Each channel has a mean of 0 and a deviation of 1 over FER2013's Training faces.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 64, 7, 2, 3)
        self.stages, c_in = nn.ModuleList(), 64
        for stage, (count, inner, wide) in enumerate(STAGES):
            first = _Bottleneck(c_in, inner, wide, stride=2 if stage else 1)
            others = [_Bottleneck(wide, inner, wide) for _ in range(count - 1)]
            self.stages.append(nn.Sequential(first, *others))
            c_in = wide
            self.register_buffer(f"mean{stage}", torch.zeros(wide, 1, 1))
            self.register_buffer(f"deviation{stage}", torch.ones(wide, 1, 1))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return maps [N,128,H,W] and [N,256,H/2,W/2] of parts [N,1,H,W] of faces in [-1,1]."""
        return [
            (h - getattr(self, f"mean{stage}")) / getattr(self, f"deviation{stage}")
            for stage, h in enumerate(self.maps(x))
        ]

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return the maps before normalization, which are 0 or more."""
        # Bicubic, as browsers and viewers enlarge small pictures.
        large = F.interpolate(x, scale_factor=ENLARGED, mode="bicubic", align_corners=False)
        levels = (large.clamp(-1, 1) + 1) * 127.5
        h = F.max_pool2d(F.pad(F.relu(self.stem(levels)), (0, 1, 0, 1)), 3, 2)
        maps = []
        for stage in self.stages:
            h = stage(h)
            maps.append(h)
        return maps


class _Bottleneck(nn.Module):
    """Three convolutions and a shortcut; batch normalization is part of the weights."""

    def __init__(self, c_in: int, inner: int, c_out: int, stride: int = 1) -> None:
        super().__init__()
        self.shortcut = nn.Identity() if c_in == c_out else nn.Conv2d(c_in, c_out, 1, stride)
        self.narrow = nn.Conv2d(c_in, inner, 1, stride)
        self.middle = nn.Conv2d(inner, inner, 3, 1, 1)
        self.widen = nn.Conv2d(inner, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.middle(F.relu(self.narrow(x))))
        return F.relu(self.widen(h) + self.shortcut(x))


def load() -> PictureFeatures:
    """Load the network that comes with the package, in evaluation mode.

    Raises:
        BundleError: It is missing or altered.
    """
    return filled(PictureFeatures(), CARD)
