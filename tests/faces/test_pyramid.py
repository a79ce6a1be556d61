"""Views of a picture show what is where they say it is."""

import numpy as np
import pytest

from cctranslate.faces.alignment import crop
from cctranslate.faces.pyramid import Pyramid


def slopes(height: int, width: int) -> np.ndarray:
    """A picture whose levels, red and green, are its places: a hundred pixels to 10 levels."""
    y, x = np.indices((height, width))
    return np.stack([x / 10, y / 10, 0 * x], -1).astype(np.uint8)


@pytest.mark.parametrize("size", [(1500, 2000), (1201, 1607), (333, 1999), (97, 61), (1, 900)])
@pytest.mark.parametrize("longer", [1600, 640, 320, 33])
def test_a_view_is_as_long_as_asked_and_its_transform_leads_to_the_same_places(
    size: tuple[int, int], longer: int
) -> None:
    view, back = Pyramid(slopes(*size)).shrunk(longer)
    assert max(view.shape[:2]) == min(longer, max(size))
    x, y = view.shape[1] // 2, view.shape[0] // 2
    there = back @ [x, y, 1]
    np.testing.assert_allclose(view[y, x, :2], there / 10, atol=1.1)
    corners = back @ np.array([[-0.5, -0.5, 1], [view.shape[1] - 0.5, view.shape[0] - 0.5, 1]]).T
    np.testing.assert_allclose(corners[:, 0], -0.5, atol=1e-9)
    assert (np.array(size[::-1]) - 0.5 - corners[:, 1] <= max(size) / longer + 1).all()


@pytest.mark.parametrize("scale", [0.7, 1.5, 4.2, 9.0])
def test_a_crop_is_as_of_the_picture_itself(scale: float) -> None:
    random = np.random.default_rng(0)
    picture = random.integers(0, 255, (13, 17, 3), np.uint8).repeat(60, 0).repeat(60, 1)
    frame = np.array([[scale, 0.3 * scale, 40.0], [-0.3 * scale, scale, 60.0]])
    gap = np.abs(Pyramid(picture).crop(frame, 80).astype(int) - crop(picture, frame, 80))
    assert gap.mean() < 4, "levels differ by 85 on average"
