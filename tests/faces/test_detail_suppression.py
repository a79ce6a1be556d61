"""Details of the old face that paint takes away, and the color of what is painted."""

import cv2
import numpy as np
import pytest

from cctranslate.faces.alignment import whole
from cctranslate.faces.compositing import carry
from cctranslate.faces.raster import gray
from tests.support import pictures

FINE = 12
"""Pixels of the picture to one of the face, in what follows."""


def mouth(paint: float) -> np.ndarray:
    """A change that paints over four rows of the face."""
    change = np.zeros((3, 48, 48), np.float32)
    change[2, 30:34, 16:32] = paint
    return change


def test_teeth_that_are_painted_over_take_the_color_of_the_skin() -> None:
    skin, teeth = (190, 130, 100), (235, 235, 230)
    picture = np.full((48 * FINE, 48 * FINE, 3), skin, np.uint8)
    picture[31 * FINE : 33 * FINE, 18 * FINE : 30 * FINE] = teeth
    before = gray(picture).astype(float)
    paint = (before[0, 0] - before[32 * FINE, 24 * FINE]) / 127.5
    carry(picture, whole(48 * FINE, 48 * FINE), mouth(paint))
    red, green, blue = picture[32 * FINE, 24 * FINE].astype(int)
    assert red - green > 30
    assert green - blue > 10


def test_a_mouth_painted_over_teeth_or_skin_is_no_grayer_than_the_skin() -> None:
    # Blurred as a small face is: no detail that the model does not see, so nothing is covered.
    skin, teeth = (190, 130, 100), (235, 235, 230)
    picture = np.full((96, 96, 3), skin, np.uint8)
    picture[60:68, 36:60] = teeth
    before = np.asarray(cv2.GaussianBlur(picture, (0, 0), 4), np.uint8)
    picture[:] = before
    carry(picture, whole(96, 96), mouth(-0.8))
    there = [picture[64, 48], picture[64, 34]]
    assert pictures.saturation(before[64, 48].astype(float)) < 0.2
    assert all(pictures.saturation(pixel.astype(float)) > 0.4 for pixel in there)
    assert all(pixel[0] > pixel[1] > pixel[2] for pixel in there)


def test_lips_under_paint_stay_redder_than_the_skin() -> None:
    picture = np.full((96, 96, 3), (190, 130, 100), np.uint8)
    picture[60:68, 36:60] = (170, 70, 70)
    before = picture.copy()
    carry(picture, whole(96, 96), mouth(-0.2))
    assert pictures.saturation(picture[64, 48].astype(float)) >= pictures.saturation(
        before[64, 48].astype(float)
    )


@pytest.mark.parametrize(("line", "shows"), [(0, True), (90, False), (-120, True)])
def test_shapes_that_paint_takes_away_are_covered_and_what_it_adds_to_stays_sharp(
    line: int, shows: bool
) -> None:
    texture = np.random.default_rng(0).normal(0, 2, (48 * FINE, 48 * FINE))
    texture[32 * FINE - 3 : 32 * FINE + 3, 18 * FINE : 30 * FINE] += line
    picture = np.rint(150 + texture).clip(0, 255).astype(np.uint8)
    there = slice(32 * FINE - 20, 32 * FINE + 20), slice(22 * FINE, 26 * FINE)
    before = picture.copy()[there].astype(float)
    carry(picture, whole(48 * FINE, 48 * FINE), mouth(-0.5))
    after = picture[there].astype(float)
    rows = before - before.mean(1, keepdims=True), after - after.mean(1, keepdims=True)
    assert (np.corrcoef(*(row.ravel() for row in rows))[0, 1] > 0.9) == shows
    step = np.abs(np.diff(after.mean(1))).max()
    assert (step > 40) == (line < 0), "of a bright line of 6 pixels no edge is left"
