"""Masks that follow the landmarks, worked out by hand where that can be done."""

import pytest
import torch

from cctranslate.faces.alignment import MIRRORED_POINTS, TEMPLATE
from cctranslate.training.data import face_masks
from cctranslate.training.data.face_masks import ELLIPSES, SOFTNESS

POINTS = torch.tensor(TEMPLATE, dtype=torch.float32)[None]
FOUND = torch.ones(1, dtype=torch.bool)


def test_an_ellipse_is_one_inside_and_fades_to_zero_at_its_rim() -> None:
    mask = face_masks.region_masks(POINTS, FOUND, ("mouth",))[0, 0]
    mouth = ELLIPSES["mouth"]
    # The corners' middle is (23.5, 35.8); the ellipse lies half a pixel lower.
    assert mask[36, 23] == 1
    for x in range(24, 48):
        radius = (((x - 23.5) / mouth.width) ** 2 + ((36 - 36.3) / mouth.height) ** 2) ** 0.5
        expected = min(max((1 - radius) / SOFTNESS, 0), 1)
        assert float(mask[36, x]) == pytest.approx(expected, abs=1e-4)
    assert mask[20].max() == 0


def test_a_smile_is_hidden_with_its_cheeks_and_brows() -> None:
    mask = face_masks.region_masks(POINTS, FOUND, face_masks.WHOLE_EXPRESSION)[0, 0]
    hidden = {
        "left brow": (11, 14),
        "right brow": (11, 33),
        "frown": (13, 23),
        "left eye": (18, 14),
    }
    hidden |= {"left cheek": (31, 12), "right cheek": (31, 35), "mouth": (36, 23), "chin": (43, 23)}
    assert {name: float(mask[place]) for name, place in hidden.items()} == dict.fromkeys(hidden, 1)
    assert mask[0].max() == mask[:, 0].max() == mask[:, 47].max() == 0


def test_masks_turn_grow_and_move_with_the_face() -> None:
    """A face turned by 90 degrees about the middle: its mask is the upright one's, turned."""
    turned = torch.stack([47 - POINTS[..., 1], POINTS[..., 0]], -1)
    upright = face_masks.region_masks(POINTS, FOUND, ("eyes", "lower"))
    quarter = face_masks.region_masks(turned, FOUND, ("eyes", "lower"))
    assert torch.allclose(quarter, torch.rot90(upright, -1, (2, 3)), atol=1e-4)
    small = face_masks.region_masks(POINTS / 2, FOUND, ("eyes",))
    assert float(small.sum()) == pytest.approx(
        float(face_masks.region_masks(POINTS, FOUND, ("eyes",)).sum()) / 4, rel=0.03
    )


def test_a_mirrored_face_has_the_mirrored_mask() -> None:
    tilted = POINTS + torch.tensor([[0.0, 0], [1, 3], [2, 1], [0, 0], [2, 2]])
    mirrored = tilted[:, MIRRORED_POINTS] * torch.tensor([-1.0, 1.0]) + torch.tensor([47.0, 0.0])
    for region in ELLIPSES:
        mask = face_masks.region_masks(tilted, FOUND, (region,))
        assert torch.allclose(
            face_masks.region_masks(mirrored, FOUND, (region,)), mask.flip(3), atol=1e-4
        )


def test_masks_are_larger_where_no_landmarks_were_found() -> None:
    sure = face_masks.region_masks(POINTS, FOUND, ("inner",))
    unsure = face_masks.region_masks(POINTS, ~FOUND, ("inner",))
    assert bool((unsure >= sure).all())
    assert unsure.sum() > 1.1 * sure.sum()


def test_training_masks_hide_something_of_every_face_and_sometimes_all() -> None:
    torch.manual_seed(0)
    masks = face_masks.random_masks(POINTS.expand(300, -1, -1), FOUND.expand(300))
    area = masks.flatten(1).mean(1)
    assert masks.shape == (300, 1, 48, 48)
    assert masks.min() == 0
    assert masks.max() == 1
    assert area.min() > 0.02
    assert 0.05 < float((area == 1).float().mean()) < 0.25
    assert bool(((masks > 0) & (masks < 1)).any())
