"""Pictures of every depth become the gray face that a person would see."""

import numpy as np
from PIL import Image

from cctranslate.pictures import to_gray

RAMP = np.linspace(0, 255, 48).astype(np.uint8)[None].repeat(48, 0)


def test_16_bits_are_scaled_by_their_high_byte() -> None:
    np.testing.assert_array_equal(to_gray(Image.fromarray(RAMP.astype(np.uint16) * 257)), RAMP)


def test_a_dark_16_bit_picture_stays_dark() -> None:
    dark = Image.fromarray(np.full((48, 48), 200, np.uint16))
    assert to_gray(dark).max() == 0


def test_floats_are_levels_or_fractions_of_white() -> None:
    np.testing.assert_array_equal(to_gray(Image.fromarray(RAMP.astype(np.float32))), RAMP)
    fractions = to_gray(Image.fromarray(RAMP.astype(np.float32) / 255))
    assert np.abs(fractions.astype(int) - RAMP).max() <= 1


def test_infinity_is_white_and_no_number_is_black() -> None:
    for scale in (1, 1 / 255):
        floats = RAMP.astype(np.float32) * np.float32(scale)
        expected = RAMP.copy()
        for place, (odd, level) in enumerate([(np.inf, 255), (-np.inf, 0), (np.nan, 0)]):
            floats[place, 0], expected[place, 0] = odd, level
        np.testing.assert_array_equal(to_gray(Image.fromarray(floats)), expected)


def test_any_size_becomes_48_by_48() -> None:
    face = to_gray(Image.new("RGB", (300, 200), (255, 255, 255)))
    assert face.shape == (48, 48)
    assert face.dtype == np.uint8
    assert face.min() == 255
