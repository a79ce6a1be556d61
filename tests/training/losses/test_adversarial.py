"""Adversarial and class losses against numbers worked out by hand."""

import math

import pytest
import torch

from cctranslate.training.losses import adversarial
from cctranslate.training.losses.adversarial import Pairs
from cctranslate.training.networks.discriminators import DiscriminatorOutput

TWO = torch.tensor([0.0, 2.0])
ONE = torch.tensor([1.0, -1.0])


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def test_bce() -> None:
    expected = (softplus(0) + softplus(-2) + softplus(1) + softplus(-1)) / 4
    assert adversarial.d_bce(TWO, ONE).item() == pytest.approx(expected)
    assert adversarial.g_bce(TWO, ONE).item() == pytest.approx((softplus(-1) + softplus(1)) / 2)


def test_least_squares() -> None:
    assert adversarial.d_least_squares(TWO, ONE).item() == pytest.approx(((1 + 1) / 2 + 1) / 2)
    assert adversarial.g_least_squares(TWO, ONE).item() == pytest.approx((0 + 4) / 2)


def test_relativistic() -> None:
    assert adversarial.d_relativistic(TWO, ONE).item() == pytest.approx(
        (softplus(1) + softplus(-3)) / 2
    )
    assert adversarial.g_relativistic(TWO, ONE).item() == pytest.approx(
        (softplus(-1) + softplus(3)) / 2
    )


def test_class_terms() -> None:
    real, fake = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, -1.0]])
    labels = torch.tensor([[1.0, 0.0]])
    expected = (softplus(-1) + softplus(0) + softplus(0) + softplus(-1)) / 4
    assert adversarial.d_class(real, labels, fake, torch.tensor([1])).item() == pytest.approx(
        expected
    )
    p, q = 1 / 2, 1 / (1 + math.e)
    got = adversarial.g_class(fake, torch.tensor([1])).item()
    assert got == pytest.approx(-math.log(q / (p + q)))


def test_the_class_loss_of_d_has_the_fakes_labels_of_each_experiment() -> None:
    real, labels = torch.zeros(1, 2), torch.tensor([[1.0, 0.0]])
    fake, target = torch.tensor([[0.0, 3.0]]), torch.tensor([1])
    four = 2 * softplus(0) + softplus(0)
    assert adversarial.D_CLASS["zeros"](real, labels, fake, target).item() == pytest.approx(
        (four + softplus(3)) / 4
    )
    assert adversarial.D_CLASS["sigmoid"](real, labels, fake, target).item() == pytest.approx(
        (four + softplus(-3)) / 4
    )
    assert adversarial.D_CLASS["softmax"](real, labels, fake, target).item() == pytest.approx(
        (math.log(2) + softplus(-3)) / 2
    )
    third, also = torch.zeros(1, 3), torch.tensor([[0.0, 0.0, 5.0]])
    assert adversarial.D_CLASS["fake-class"](third, labels, also, target).item() == pytest.approx(
        math.log(3) + math.log(2 + math.exp(5)) - 5
    )


def test_refusal_is_as_of_a_fake() -> None:
    assert adversarial.d_refusal("least-squares", TWO).item() == pytest.approx(2)
    assert adversarial.d_refusal("bce", TWO).item() == pytest.approx(
        (softplus(0) + softplus(2)) / 2
    )


def test_ds_accuracy_is_of_reals_and_fakes_alike() -> None:
    def pairs(real: list[float], fake: list[float]) -> Pairs:
        verdicts = [
            DiscriminatorOutput(real=torch.tensor(v)[:, None], expression=None)
            for v in (real, fake)
        ]
        none = torch.zeros(0, dtype=torch.int64)
        return Pairs(
            real=verdicts[0],
            fake=verdicts[1],
            real_classes=none,
            fake_classes=none,
            real_labels=torch.zeros(0, 7),
        )

    assert adversarial.d_accuracy("bce", pairs([1.0, -1.0], [-1.0, -2.0])).item() == 0.75
    assert adversarial.d_accuracy("least-squares", pairs([0.6, 0.6], [0.4, 0.6])).item() == 0.75
    assert adversarial.d_accuracy("relativistic", pairs([1.0, 1.0], [0.0, 2.0])).item() == 0.5
