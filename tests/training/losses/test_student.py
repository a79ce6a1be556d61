"""Losses of discriminators of parts, on faces with a mark."""

import pytest
import torch

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.training.losses.student import parts_d_terms, parts_g_terms, penalty
from cctranslate.training.networks.student.part_discriminators import (
    DiscriminatorInput,
    PartDiscriminators,
)

POINTS = torch.tensor(TEMPLATE, dtype=torch.float32)[None]


def shown(x: torch.Tensor, target: int = 0) -> DiscriminatorInput:
    n = len(x)
    return DiscriminatorInput(
        x=x, points=POINTS.expand(n, -1, -1), classes=torch.full((n,), target)
    )


def test_discriminators_learn_a_mark_and_g_is_told_where_it_is() -> None:
    torch.manual_seed(0)
    networks = PartDiscriminators((8, 8, 8, 8))
    real = shown(torch.zeros(8, 1, 48, 48))
    marked = torch.zeros(8, 1, 48, 48)
    marked[:, :, 34:38, 20:28] = 1
    adam = torch.optim.Adam(networks.parameters(), 3e-3)
    for _ in range(60):
        terms = parts_d_terms(networks, real, shown(marked))
        assert terms.keys() == {"d_whole", "d_mouth", "d_eyes"}
        adam.zero_grad()
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        adam.step()
    assert float(terms["d_mouth"].detach()) < 0.1
    assert float(terms["d_eyes"].detach()) == pytest.approx(0.693, abs=1e-3)  # nothing to see there
    fake = marked.clone().requires_grad_()
    parts_g_terms(networks, real, shown(fake))["mouth"].backward()  # type: ignore[no-untyped-call]
    assert fake.grad is not None
    assert float(fake.grad[:, :, 34:38, 20:28].sum()) > 0  # a weaker mark would cost less


def test_the_penalty_grows_with_the_slope_of_the_logits() -> None:
    torch.manual_seed(0)
    networks = PartDiscriminators((8, 8, 8, 8))
    faces = shown(torch.rand(2, 1, 48, 48))
    before = penalty(networks, faces).item()
    for network in networks.networks.values():
        network.head.weight.data *= 2  # type: ignore[union-attr, operator]
    assert penalty(networks, faces).item() == pytest.approx(4 * before, rel=1e-4)
