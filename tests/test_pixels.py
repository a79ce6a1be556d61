"""Faces as gray levels and scaled to [-1, 1]."""

import numpy as np

from cctranslate.pixels import to_levels, to_scaled


def test_every_level_survives_scaling_and_back() -> None:
    levels = np.arange(256, dtype=np.uint8)
    scaled = to_scaled(levels)
    assert scaled.dtype == np.float32
    assert (scaled.min(), scaled.max()) == (-1, 1)
    np.testing.assert_array_equal(to_levels(scaled), levels)


def test_levels_are_clipped_to_0_and_255() -> None:
    assert to_levels(np.array([-3, 3], np.float32)).tolist() == [0, 255]
