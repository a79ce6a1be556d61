"""Pixels in numpy: their types, and faces as gray levels and scaled to [-1, 1].

`training/data/device_cache.py` scales in torch.
"""

import numpy as np
from numpy.typing import NDArray

SIZE = 48
"""Side of a face in pixels, in FER2013 and in the models."""

Gray = NDArray[np.uint8]
"""Gray levels from 0 to 255, such as faces [N,48,48]."""
Pixels = NDArray[np.uint8]
"""A picture in gray [H,W] or RGB [H,W,3], with levels from 0 to 255."""
Floats = NDArray[np.float32]
"""Values of any kind, such as faces in [-1, 1], edits or probabilities."""


def to_scaled(faces: Gray) -> Floats:
    """Return gray faces [..., 48, 48] uint8 as float32 in [-1, 1] of the same shape."""
    scaled = faces.astype(np.float32)
    scaled /= np.float32(127.5)
    scaled -= np.float32(1)
    return scaled


def to_levels(scaled: Floats) -> Gray:
    """Return float faces in [-1, 1] as uint8 gray levels, rounded and clipped."""
    levels = scaled + np.float32(1)
    levels *= np.float32(127.5)
    np.rint(levels, levels)
    np.clip(levels, 0, 255, levels)
    return levels.astype(np.uint8)
