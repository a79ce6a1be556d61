"""Optimizers of our own, beside those of the library that they stand for."""

import pytest
import torch
from torch import nn

from cctranslate.training.trainers.optimizers import Muon


@pytest.mark.parametrize("shape", [(24, 54), (54, 24), (16, 16)])
def test_muon_takes_the_steps_of_torch(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    start = torch.randn(shape)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    mine = Muon([ours], lr=0.02, momentum=0.95)
    library = torch.optim.Muon(
        [theirs], lr=0.02, weight_decay=0.0, momentum=0.95, adjust_lr_fn="match_rms_adamw"
    )
    for _ in range(5):
        gradient = torch.randn(shape)
        ours.grad, theirs.grad = gradient, gradient.clone()
        mine.step()
        library.step()  # type: ignore[no-untyped-call]
    # torch's are rounded to 8 bits.
    moved, expected = ours.detach() - start, theirs.detach() - start
    assert (moved - expected).norm() < 0.02 * expected.norm()


def test_muon_leaves_a_matrix_without_a_gradient_alone() -> None:
    matrix = nn.Parameter(torch.ones(4, 8))
    Muon([matrix], lr=0.02, momentum=0.95).step()
    assert torch.equal(matrix, torch.ones(4, 8))
