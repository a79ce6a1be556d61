"""Loss terms that keep changes small and smooth, and D's gradients small."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cctranslate.recipes.components import Weights
from cctranslate.training.losses.terms import Terms

EYES, EYES_SPREAD = 0.35, 0.11
"""Vertical position of eyes and brows: mean and standard deviation, in picture heights."""


class ChangeLoss(nn.Module):
    """Cost of changing faces: `change`, `eyes`, `self_translation` and `smoothness`."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self._weights = weights

    def forward(self, fake: Tensor, source: Tensor, flow: Tensor, same: Tensor) -> Terms:
        """Return the terms for translations [N,1,48,48] and their flow fields [N,2,48,48].

        `same` [N] is 1 where the target is the expression that the face already has.
        """
        terms: Terms = {}
        if self._weights.change:
            terms["change"] = F.mse_loss(fake, source)
        if self._weights.eyes:
            terms["eyes"] = change_about_the_eyes(fake, source)
        if self._weights.self_translation:
            terms["self_translation"] = masked_mean((fake - source).abs().mean((1, 2, 3)), same)
        if self._weights.smoothness:
            terms["smoothness"] = smoothness(flow)
        return terms


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of values [N] with the mask [N] as weights; 0 if it is 0 everywhere."""
    return (values * mask).sum() / mask.sum().clamp_min(1)


def change_about_the_eyes(fake: Tensor, source: Tensor) -> Tensor:
    """Return the mean square of the change [N,1,48,48], weighted by closeness to the eyes' row."""
    rows = torch.arange(fake.shape[-2], device=fake.device, dtype=torch.float32)
    near = torch.exp(-0.5 * ((rows / fake.shape[-2] - EYES) / EYES_SPREAD) ** 2)
    return ((fake - source).square() * near[:, None]).mean()


def smoothness(field: Tensor) -> Tensor:
    """Return the mean squared difference between neighbors of a field [N,C,H,W]."""
    dx = field[..., :, 1:] - field[..., :, :-1]
    dy = field[..., 1:, :] - field[..., :-1, :]
    return dx.square().mean() + dy.square().mean()


def gradient_penalty(logits: Tensor, images: Tensor) -> Tensor:
    """Return the mean squared norm of the logits' gradient at `images` (Mescheder et al. 2018)."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()
