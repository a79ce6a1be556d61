"""Anchors of a generator whose edit is known."""

import numpy as np
import torch
from torch import Tensor

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.training.networks.generator import Code, Edit, Generator
from cctranslate.training.pairs.anchors import anchors

UPRIGHT = torch.tensor(TEMPLATE, dtype=torch.float32)


class Nose(Generator):
    """Brightens the place of an upright face's nose."""

    def encode(self, x: Tensor) -> Code:
        return (x,)

    def edit(self, code: Code, labels: Tensor) -> Edit:
        (x,) = code
        paint = torch.zeros_like(x)
        paint[:, :, 26:31, 21:26] = 0.5
        return Edit(image=x + paint, flow=torch.zeros(len(x), 2, 48, 48), paint=paint)


def test_the_change_comes_where_the_face_lies() -> None:
    a, middle = np.radians(40), UPRIGHT.mean(0)
    turn = torch.tensor([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]], dtype=torch.float32)
    tilted = (UPRIGHT - middle) @ turn + middle + torch.tensor([4.0, -3.0])
    x, points = torch.zeros(2, 1, 48, 48), torch.stack([UPRIGHT, tilted])
    made = anchors(Nose(), x, torch.eye(7)[[3, 3]], points, strengths=torch.full((2,), 1.2))
    torch.testing.assert_close(made[0, 0, 28, 23], torch.tensor(0.6))
    assert (made[0] != 0).sum() == 25
    rows, columns = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
    change = made[1, 0]
    center = torch.stack([(columns * change).sum(), (rows * change).sum()]) / change.sum()
    torch.testing.assert_close(center, tilted[2], atol=0.6, rtol=0)
    torch.testing.assert_close(change.max(), torch.tensor(0.6), atol=0.02, rtol=0)
