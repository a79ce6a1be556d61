"""Terms that keep changes small, against numbers worked out by hand."""

import pytest
import torch

from cctranslate.recipes.components import Weights
from cctranslate.training.losses import regularization
from cctranslate.training.losses.regularization import ChangeLoss


def test_gradient_penalty_of_a_linear_critic() -> None:
    x = torch.randn(3, 1, 2, 2, requires_grad=True)
    logits = (x * torch.tensor([[1.0, 2.0], [0.0, 2.0]])).sum((1, 2, 3))
    assert regularization.gradient_penalty(logits, x).item() == pytest.approx(9)


def test_smoothness_of_a_ramp() -> None:
    field = torch.arange(4.0).expand(1, 1, 4, 4)
    assert regularization.smoothness(field).item() == pytest.approx(1)


def test_change_costs_more_about_the_eyes_than_at_the_mouth() -> None:
    face = torch.zeros(2, 1, 48, 48)
    eyes, mouth = face.clone(), face.clone()
    eyes[:, :, 15:19, 20:24] = 0.5
    mouth[:, :, 36:40, 20:24] = 0.5
    cost = [regularization.change_about_the_eyes(changed, face).item() for changed in (eyes, mouth)]
    plain = torch.nn.functional.mse_loss(eyes, face).item()
    assert cost[0] == pytest.approx(plain, rel=0.1)
    assert cost[1] < 0.01 * plain


def test_only_terms_with_a_weight_are_computed() -> None:
    face, fake = torch.zeros(2, 1, 48, 48), torch.full((2, 1, 48, 48), 0.5)
    flow, same = torch.zeros(2, 2, 48, 48), torch.tensor([1.0, 0.0])
    assert ChangeLoss(Weights())(fake, face, flow, same) == {}
    terms = ChangeLoss(Weights(change=1.0, self_translation=1.0, smoothness=1.0))(
        fake, face, flow, same
    )
    assert {name: term.item() for name, term in terms.items()} == {
        "change": 0.25,
        "self_translation": 0.5,
        "smoothness": 0.0,
    }
