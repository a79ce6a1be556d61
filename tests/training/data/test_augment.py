"""Random changes to faces, where they have a right answer."""

import math

import torch

from cctranslate.training.data import augment


def test_a_mark_and_its_landmark_turn_alike() -> None:
    x, points = torch.zeros(2, 1, 48, 48), torch.full((2, 5, 2), 23.5)
    x[:, :, 10:13, 30:33] = 1
    points[:, 0] = torch.tensor([31.0, 11.0])
    turned, there = augment.turned(x, points, torch.tensor([0.0, 0.5]))
    assert turned[0].equal(x[0])
    assert there[0].equal(points[0])
    bright = turned[1, 0].clamp(min=0)
    rows, columns = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
    middle = torch.stack([(columns * bright).sum(), (rows * bright).sum()]) / bright.sum()
    torch.testing.assert_close(there[1, 0], middle, atol=0.1, rtol=0)
    before, after = points[1, 0] - 23.5, there[1, 0] - 23.5
    cosine = float(before @ after / before.norm() / after.norm())
    assert math.isclose(math.acos(cosine), 0.5, abs_tol=1e-3)
    torch.testing.assert_close(there[1, 1:], points[1, 1:])
