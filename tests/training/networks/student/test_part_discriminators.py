"""Parts of faces that discriminators see, against pictures worked out by hand."""

import pytest
import torch

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.training.networks.student.part_discriminators import (
    PARTS,
    DiscriminatorInput,
    PartDiscriminators,
    crop,
)

POINTS = torch.tensor(TEMPLATE, dtype=torch.float32)[None]


def shown(x: torch.Tensor, target: int = 0) -> DiscriminatorInput:
    n = len(x)
    return DiscriminatorInput(
        x=x, points=POINTS.expand(n, -1, -1), classes=torch.full((n,), target)
    )


def test_parts_lie_about_their_landmarks() -> None:
    picture = torch.arange(48 * 48.0).reshape(1, 1, 48, 48)  # each pixel is 48 * row + column
    mouth = crop(picture, POINTS, PARTS["mouth"])
    assert mouth.shape == (1, 1, 20, 28)
    first, last = mouth[0, 0, 0, 0].item(), mouth[0, 0, -1, -1].item()
    assert divmod(first, 48) == (26, 10)  # the mouth's middle is (23.5, 35.8)
    assert divmod(last, 48) == (45, 37)
    assert crop(picture, POINTS, PARTS["eyes"]).shape == (1, 1, 20, 40)
    torch.testing.assert_close(crop(picture, POINTS, PARTS["whole"]), picture)


@pytest.mark.parametrize("shift", [-40.0, 40.0])
def test_parts_stay_within_the_picture(shift: float) -> None:
    picture = torch.rand(1, 1, 48, 48)
    corner = crop(picture, POINTS + shift, PARTS["mouth"])
    expected = picture[..., :20, :28] if shift < 0 else picture[..., -20:, -28:]
    torch.testing.assert_close(corner, expected)


def test_a_mark_on_the_mouth_is_seen_by_all_but_the_eyes() -> None:
    torch.manual_seed(0)
    networks = PartDiscriminators((8, 8, 8, 8))
    plain = torch.zeros(1, 1, 48, 48)
    marked = plain.clone()
    marked[:, :, 34:38, 20:28] = 1
    before, after = networks(shown(plain)), networks(shown(marked))
    assert {name for name in PARTS if not torch.equal(before[name], after[name])} == {
        "whole",
        "mouth",
    }
