"""Weights by gradients, worked out by hand."""

import pytest
import torch

from cctranslate.training.losses.gradient_balancer import GradientBalancer


def test_gradients_have_a_fixed_ratio_to_another() -> None:
    x = torch.ones(1, 1, 2, 2, requires_grad=True)
    balancer = GradientBalancer({"weak": 0.5, "strong": 2.0, "flat": 1.0})
    terms = {"weak": 0.1 * x.sum(), "strong": 3 * x.sum(), "flat": 0 * x.sum()}
    balancer.update(x, 6 * x.sum(), terms)
    assert balancer.weights == {
        "weak": pytest.approx(30),
        "strong": pytest.approx(4),
        "flat": 50,  # what has no slope has a weight that is not without bounds
    }
    balancer.update(x, 3 * x.sum(), terms)
    assert balancer.weights["weak"] == pytest.approx(0.8 * 30 + 0.2 * 15)
