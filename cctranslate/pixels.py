"""Picture <-> array: the only place that scales gray levels to [-1, 1] and back."""

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

SIZE = 48
"""Side of a face in pixels: FER2013's, and so the models'."""

Gray = NDArray[np.uint8]
Scaled = NDArray[np.float32]


def to_gray(picture: Image.Image) -> Gray:
    """A picture of any mode and size as a [48, 48] uint8 gray face.

    Transparency is laid over mid-gray. Pictures of 16 bits and more are scaled by
    their high byte, because Pillow's own conversion to 8 bits clips them to white;
    floats that stay within 1 are taken for fractions of white.
    """
    if picture.mode.startswith("I") or picture.mode == "F":
        gray = Image.fromarray(float_levels(picture))
    elif picture.has_transparency_data:
        base = Image.new("RGBA", picture.size, (128, 128, 128, 255))
        gray = Image.alpha_composite(base, picture.convert("RGBA")).convert("L")
    else:
        gray = picture.convert("L")
    if gray.size != (SIZE, SIZE):
        gray = gray.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    return np.asarray(gray, np.uint8)


def float_levels(picture: Image.Image) -> Gray:
    """A picture of 16 bits, 32 bits or floats as 8-bit gray [H, W], scaled as `to_gray` says."""
    levels = np.nan_to_num(np.asarray(picture).astype(np.float64))
    if picture.mode.startswith("I;16") or levels.max(initial=0) > 255:
        levels = levels / 256
    elif picture.mode == "F" and levels.max(initial=0) <= 1:
        levels = levels * 255
    return np.asarray(levels.clip(0, 255), np.uint8)


def size_upright(picture: Image.Image) -> tuple[int, int]:
    """A picture's width and height as its EXIF orientation shows it."""
    turned = picture.getexif().get(ExifTags.Base.Orientation, 1) in range(5, 9)
    return (picture.height, picture.width) if turned else picture.size


def to_scaled(faces: Gray) -> Scaled:
    """Gray faces [..., 48, 48] uint8 as float32 in [-1, 1] of the same shape."""
    return faces.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_levels(scaled: Scaled) -> Gray:
    """Float faces in [-1, 1] as uint8 gray levels of the same shape, rounded and clipped."""
    levels: Gray = (
        np.rint((scaled + np.float32(1)) * np.float32(127.5)).clip(0, 255).astype(np.uint8)
    )
    return levels
