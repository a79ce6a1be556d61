"""Adapt the weights of loss terms to the norms of their gradients."""

from collections.abc import Mapping

import torch
from torch import Tensor

from cctranslate.training.losses.terms import Terms

LARGEST = 50.0
"""Largest weight: an untrained discriminator has hardly any gradient."""
SMOOTHING = 0.2
"""Fraction of a batch's weights in the running weights."""


class GradientBalancer:
    """Adaptive loss weights (VQGAN, Esser et al. 2021).

    Each term's gradient at the images has a fixed ratio to that of a reference loss.
    """

    def __init__(self, ratios: Mapping[str, float]) -> None:
        """Set each term's ratio; a ratio of 0 leaves the term out."""
        self._ratios = dict(ratios)
        self.weights = dict.fromkeys(ratios, 0.0)

    def update(self, images: Tensor, reference_loss: Tensor, terms: Terms) -> None:
        """Move the weights towards those of this batch; the first one sets them."""
        reference = _norm(reference_loss, images)
        for name, ratio in self._ratios.items():
            weight = min(LARGEST, ratio * reference / max(_norm(terms[name], images), 1e-6))
            average = self.weights[name]
            self.weights[name] = average + SMOOTHING * (weight - average) if average else weight


def _norm(term: Tensor, images: Tensor) -> float:
    """Return the norm of a term's gradient at the images."""
    (gradient,) = torch.autograd.grad(term, images, retain_graph=True)
    return gradient.norm().item()
