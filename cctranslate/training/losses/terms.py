"""Named loss terms: how they are weighted and summed."""

from dataclasses import asdict, fields

import torch
from torch import Tensor

from cctranslate.recipes.components import Weights

Terms = dict[str, Tensor]
"""Unweighted terms by name, as in the log."""
LAZY = frozenset(field.name for field in fields(Weights) if field.metadata.get("lazy"))
"""Costly terms, which are computed once in `Procedure.lazy` steps."""


def total(terms: Terms, weights: Weights, lazy: int = 1) -> Tensor:
    """Sum the terms by their weights.

    Lazy terms count `lazy` times: they are computed once in that many steps.
    """
    factors = {
        name: value * (lazy if name in LAZY else 1) for name, value in asdict(weights).items()
    }
    return torch.stack([factors[name] * value for name, value in terms.items()]).sum()
