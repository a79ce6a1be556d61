"""Distances between pictures, worked out by hand."""

import pytest
import torch

from cctranslate.training.losses.pictures import coarse, edges


def test_edges_do_not_see_brightness_but_blur() -> None:
    x = torch.zeros(2, 1, 4, 4)
    x[0, :, :, 2:] = 1
    assert edges(x, x + 0.3).tolist() == pytest.approx([0, 0], abs=1e-6)
    assert edges(x, torch.zeros_like(x)).tolist() == pytest.approx([1 / 3, 0])


def test_coarse_leaves_details_free_inside_the_mask_alone() -> None:
    x, mask = torch.zeros(2, 1, 8, 8), torch.zeros(2, 1, 8, 8)
    checkered = x + (torch.arange(8) % 2 * 2 - 1)
    mask[0] = 1
    assert coarse(x, checkered, mask).tolist() == pytest.approx([0, 0.5])
    assert coarse(x, x + 0.2, mask).tolist() == pytest.approx([0.2, 0.3])
