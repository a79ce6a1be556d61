"""A discriminator of a pretrained network's features of mouths and eyes.

The network already knows pictures, so the discriminator need not learn from 28,709 faces what a
mouth looks like (projected GAN, Sauer et al. 2021).
"""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from cctranslate.emotions import NUM_CLASSES
from cctranslate.training.networks.pretrained.picture_features import CHANNELS, PictureFeatures
from cctranslate.training.networks.student.part_discriminators import (
    PARTS,
    DiscriminatorInput,
    Part,
    crop,
)

FEATURE_PARTS = {
    "mouth": replace(PARTS["mouth"], height=24, width=32),
    "eyes": replace(PARTS["eyes"], height=22, width=40),
}
Features = tuple[Tensor, Tensor]
"""Features of a part, fine and coarse ones: [N,128,H,W] and [N,256,H/2,W/2]."""
EYES_EVERY = 3
"""Every third step judges eyes. The others judge mouths, which look wrong more often."""
WIDTH = 64
"""Channels of the heads' first layers."""


def part_at(step: int) -> str:
    """Return the part that a step judges."""
    return "mouth" if step % EYES_EVERY else "eyes"


class ProjectedDiscriminator(nn.Module):
    """Judges mouths and eyes, by patches at two scales and as a whole.

    Patches show how sharp teeth are and how skin looks; the whole shows whether lips are connected.
    """

    def __init__(self, features: PictureFeatures) -> None:
        super().__init__()
        # This layout is twice as fast; the inputs have it, too.
        features.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # In a list, so that the network is neither trained nor stored with this module.
        self._features = [features.eval().requires_grad_(False)]
        self.heads = nn.ModuleDict(
            {
                name: nn.ModuleList([*map(_for_patches, CHANNELS), _for_all(part)])
                for name, part in FEATURE_PARTS.items()
            }
        )

    def see(self, faces: DiscriminatorInput, step: int) -> Features:
        """Return the features of the part that a step judges."""
        part = crop(faces.x, faces.points, FEATURE_PARTS[part_at(step)])
        fine, coarse = self._features[0](part.contiguous(memory_format=torch.channels_last))
        return fine, coarse

    def forward(self, seen: Features, classes: Tensor, step: int) -> list[Tensor]:
        """Return logits that what `see` returned is of real faces of `classes` [N].

        They are [N,P] for patches at two scales, and [N,1] for the whole part.
        """
        heads = self.heads[part_at(step)]
        assert isinstance(heads, nn.ModuleList)
        fine, coarse = seen
        maps = (fine, coarse, coarse)
        return [_logits(head(h).float(), classes) for head, h in zip(heads, maps, strict=True)]


def _for_patches(channels: int) -> nn.Sequential:
    return nn.Sequential(
        spectral_norm(nn.Conv2d(channels, WIDTH, 1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(WIDTH, WIDTH, 3, 1, 1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(WIDTH, 1 + NUM_CLASSES, 1)),
    )


def _for_all(part: Part) -> nn.Sequential:
    positions = -(-part.height // 8) * -(-part.width // 8)
    return nn.Sequential(
        spectral_norm(nn.Conv2d(CHANNELS[1], WIDTH, 1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(WIDTH, 96, 3, 2, 1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(96, 128, 3, 2, 1)),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        spectral_norm(nn.Linear(128 * positions, 1 + NUM_CLASSES)),
        nn.Unflatten(1, (1 + NUM_CLASSES, 1, 1)),
    )


def _logits(patches: Tensor, classes: Tensor) -> Tensor:
    """Return the sum of the logits of being real and of the class: [N,8,H,W] -> [N,P]."""
    n = torch.arange(len(patches), device=patches.device)
    return (patches[:, 0] + patches[n, 1 + classes]).flatten(1)
