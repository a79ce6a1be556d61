"""How terms are weighed and summed."""

import pytest
import torch

from cctranslate.recipes.components import Weights
from cctranslate.training.losses.terms import LAZY, total


def test_terms_are_weighed_by_name_and_lazy_ones_by_their_steps() -> None:
    terms = {"cycle": torch.tensor(2.0), "change": torch.tensor(3.0)}
    weights = Weights(cycle=10.0, change=1.0)
    assert total(terms, weights).item() == pytest.approx(23)
    assert total(terms, weights, lazy=4).item() == pytest.approx(83)


def test_the_costly_terms_are_lazy() -> None:
    costly = {"cycle", "identity", "drift", "likeness", "likeness_drift", "likeness_frechet"}
    assert costly == LAZY
