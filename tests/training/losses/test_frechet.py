"""The distance of faces before and after, and what its gradient does."""

import pytest
import torch
from torch import Tensor

from cctranslate.training.losses.frechet import MEMORY, FrechetLoss

WIDTH, AXES, BATCH = 24, 8, 50


def axes() -> Tensor:
    """Eight directions of 24 at right angles."""
    drawn = torch.randn(WIDTH, AXES, generator=torch.Generator().manual_seed(1))
    found: Tensor = torch.linalg.qr(drawn).Q
    return found.T


def after_batches(
    by: Tensor, moved: float = 0, batches: int = 60
) -> tuple[FrechetLoss, Tensor, Tensor]:
    """Some batches; the last one's result and distance.

    Results are `by` times as long along each axis, and `moved` along all.
    """
    torch.manual_seed(0)
    frechet = FrechetLoss(axes())
    size = 0.2 * torch.linspace(1, 0.2, AXES)
    for _ in range(batches):
        along = size * torch.randn(BATCH, AXES)
        after = ((along * by + moved) @ axes()).requires_grad_()
        frechet.update(along @ axes(), after)
        distance: Tensor = frechet(after)
    return frechet, after, distance


def test_it_is_the_distance_of_running_gaussians() -> None:
    """As decompositions in double precision give it, which no graph could record."""
    frechet, _, distance = after_batches(torch.linspace(0.6, 1.4, AXES), moved=0.02)
    one, other = (moments.covariance().double() for moments in (frechet.before, frechet.after))
    values, vectors = torch.linalg.eigh(one)
    root = vectors * values.sqrt() @ vectors.T
    both = torch.linalg.eigvalsh(root @ other @ root).clamp_min(0).sqrt().sum()
    off = frechet.after.mean() - frechet.before.mean()
    exact = off.square().sum() + one.trace() + other.trace() - 2 * both
    assert distance.item() == pytest.approx(exact.item(), rel=1e-3)
    assert off.square().sum() > 2e-3
    assert distance > 2 * off.square().sum()


def test_faces_that_became_alike_are_driven_apart_along_that_axis() -> None:
    by = torch.ones(AXES)
    by[0] = 0.7
    _, after, distance = after_batches(by)
    (gradient,) = torch.autograd.grad(distance, after)
    outwards = (-gradient @ axes().T) * (after.detach() @ axes().T)
    assert outwards[:, 0].sum() > 0
    assert outwards[:, 0].sum() > 10 * outwards[:, 1:].sum(0).abs().max()


def test_faces_that_were_all_moved_are_drawn_back() -> None:
    _, after, distance = after_batches(torch.ones(AXES), moved=0.02)
    (gradient,) = torch.autograd.grad(distance, after)
    assert (-gradient @ axes().T).mean(0) == pytest.approx(-2 * 0.02 / BATCH, rel=0.05)


def test_faces_as_they_were_are_left_alone() -> None:
    _, after, distance = after_batches(torch.ones(AXES))
    assert distance.item() == pytest.approx(0, abs=1e-5)
    (gradient,) = torch.autograd.grad(distance, after)
    assert gradient.abs().max() < 1e-5


def test_the_loss_of_few_faces_is_zero() -> None:
    *_, distance = after_batches(0.5 * torch.ones(AXES), batches=MEMORY // (2 * BATCH))
    assert distance == 0
