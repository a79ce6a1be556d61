"""Crops about mouths: where they lie, what their masks cover, and that they go back unchanged."""

import pytest
import torch

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.training.networks.mouths import crops

POINTS = torch.tensor(TEMPLATE, dtype=torch.float32)[None]


def test_the_place_of_the_template_is_worked_out_by_hand() -> None:
    """The corners of its mouth are at (16.4, 35.8) and (30.6, 35.8), level, at scale 1."""
    place = crops.places(POINTS)
    assert place[0].tolist() == pytest.approx([23.5, 35.8 + crops.DOWN, 1, 0], abs=1e-4)
    assert crops.corners(place).tolist() == [[8, 25]]


def test_a_mask_is_one_at_the_mouth_and_zero_at_the_crops_corners() -> None:
    place = crops.places(POINTS)
    mask = crops.masks(place, crops.corners(place))[0, 0]
    assert mask.shape == (24, 32)
    assert mask[11, 15] == 1
    assert float(mask[0, 0]) == float(mask[23, 31]) == 0
    # The ellipse of that size has this area; its soft edge takes an eighth of it.
    area = torch.pi * crops.HALF_WIDTH * crops.HALF_HEIGHT
    assert float(mask.sum()) == pytest.approx(area * (1 - crops.SOFTNESS), rel=0.02)


def test_a_mask_turns_with_the_face() -> None:
    turned = torch.stack([47 - POINTS[..., 1], POINTS[..., 0]], -1)  # by 90 degrees
    place = crops.places(turned)
    mask = crops.masks(place, crops.corners(place))[0, 0]
    lines = [mask.sum(1).max(), mask.sum(0).max()]
    assert lines[1] > lines[0]  # higher than wide
    assert lines[1] == crops.HEIGHT  # and cut off by the crop


def test_however_large_a_face_its_mask_ends_within_the_crop() -> None:
    place = crops.places(23.5 + 4 * (POINTS - 23.5))
    mask = crops.masks(place, crops.corners(place))[0, 0]
    assert float(mask[:, 0].max()) == float(mask[:, -1].max()) == 0


def test_a_crop_goes_back_to_where_it_was_cut() -> None:
    x = torch.rand(2, 1, 48, 48) + 0.1
    corner = torch.tensor([[3.0, 20.0], [-5.0, 30.0]])  # the second one leaves the picture
    cut = crops.cut(x, corner)
    assert torch.equal(cut[0], x[0, :, 20:44, 3:35])
    assert torch.equal(cut[1, :, :18, 5:], x[1, :, 30:, :27])
    assert torch.equal(cut[1, :, :18, :5], x[1, :, 30:, :1].expand(-1, -1, 5))
    back = crops.paste(cut, corner)
    assert torch.equal(back[0, :, 20:44, 3:35], x[0, :, 20:44, 3:35])
    assert torch.equal(back[1, :, 30:, :27], x[1, :, 30:, :27])
    assert float(back[0, :, :20].abs().max()) == float(back[1, :, :, 27:].abs().max()) == 0
