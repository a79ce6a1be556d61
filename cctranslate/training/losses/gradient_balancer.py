"""Weights of loss terms by the norms of their gradients."""

from collections.abc import Mapping

import torch
from torch import Tensor

from cctranslate.training.losses.terms import Terms

LARGEST = 50.0
"""A weight at most: a discriminator that knows nothing has hardly a slope."""
SMOOTHING = 0.2
"""Fraction of the way to a batch's weights that a weight moves."""


class GradientBalancer:
    """Adaptive loss weights (VQGAN, Esser et al. 2021).

    Each term's gradient at the images has a fixed ratio to that of another loss.
    """

    def __init__(self, ratios: Mapping[str, float]) -> None:
        """Take each term's ratio; a ratio of 0 leaves the term out."""
        self._ratios = dict(ratios)
        self.weights = dict.fromkeys(ratios, 0.0)

    def update(self, images: Tensor, other: Tensor, terms: Terms) -> None:
        """Move the weights towards those of this batch; the first one sets them."""
        reference = _norm(other, images)
        for name, ratio in self._ratios.items():
            weight = min(LARGEST, ratio * reference / max(_norm(terms[name], images), 1e-6))
            before = self.weights[name]
            self.weights[name] = before + SMOOTHING * (weight - before) if before else weight


def _norm(term: Tensor, images: Tensor) -> float:
    """Return the norm of a term's gradient at the images."""
    (gradient,) = torch.autograd.grad(term, images, retain_graph=True)
    return gradient.norm().item()
