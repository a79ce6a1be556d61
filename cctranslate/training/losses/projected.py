"""A discriminator that sees the face recognizer's features in place of pixels.

It begins with knowing faces, so that it need not learn from 28,709 of them what a mouth is
(projected GAN, Sauer et al. 2021).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from cctranslate.emotions import NUM_CLASSES
from cctranslate.training.data import augment
from cctranslate.training.losses.terms import Terms
from cctranslate.training.networks.face_recognizer import FaceRecognizer

CHANNELS = {6: 128, 10: 256, 14: 512}
"""The recognizer's layers that are seen, of 32, 16 and 8 positions a side, and their channels."""
WIDTH = 64
SCALE = 0.5
"""Brings features, which are from 0 to 6, near to one."""
BORDER = 8
"""One in so many positions along each edge is not judged: there the padding shows."""
SHIFT = 2
"""Pixels that faces are moved by at most, so that no place in the picture is learned."""


class ProjectedDiscriminator(nn.Module):
    """For each of three scales: whether patches are of a real face of an expression."""

    def __init__(self, recognizer: FaceRecognizer) -> None:
        super().__init__()
        # In a list, so that the recognizer is no part of what is trained and stored.
        self._recognizer = [recognizer.eval().requires_grad_(False)]
        self.heads = nn.ModuleList(_head(channels) for channels in CHANNELS.values())

    def forward(self, x: Tensor, classes: Tensor) -> list[Tensor]:
        """Return each scale's logits [N,P] that patches of faces are of real ones of `classes`."""
        maps = self._recognizer[0].maps(_view(x), CHANNELS)
        each = zip(self.heads, maps, strict=True)
        return [_logits(head(SCALE * features).float(), classes) for head, features in each]

    def d_terms(self, real: Tensor, fake: Tensor, classes: Tensor) -> Terms:
        """Return the hinge loss of real and fake faces [N,1,48,48] of `classes` [N]."""
        judged = zip(self(real, classes), self(fake, classes), strict=True)
        losses = [F.relu(1 - r).mean() + F.relu(1 + f).mean() for r, f in judged]
        return {"d_features": torch.stack(losses).mean()}

    def g_terms(self, fake: Tensor, classes: Tensor) -> Terms:
        """Return what G loses to it."""
        return {"features": -torch.stack([f.mean() for f in self(fake, classes)]).mean()}


def _head(channels: int) -> nn.Sequential:
    return nn.Sequential(
        spectral_norm(nn.Conv2d(channels, WIDTH, 1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(WIDTH, WIDTH, 3, 1, 1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(WIDTH, 1 + NUM_CLASSES, 1)),
    )


def _view(x: Tensor) -> Tensor:
    x = augment.shifted(x, SHIFT)
    mirrored = torch.rand(len(x), device=x.device) < 0.5
    return torch.where(mirrored[:, None, None, None], x.flip(3), x)


def _logits(patches: Tensor, classes: Tensor) -> Tensor:
    """Add the logit of being real to that of the class: [N,8,H,W] -> [N,P], without the border."""
    edge = patches.shape[-1] // BORDER
    inner = patches[..., edge : patches.shape[-2] - edge, edge : patches.shape[-1] - edge]
    n = torch.arange(len(inner), device=inner.device)
    return (inner[:, 0] + inner[n, 1 + classes]).flatten(1)
