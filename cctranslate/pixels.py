"""Picture <-> array: numpy's scaling of gray levels to [-1, 1] and back.

Its twin for torch is in `training/data/device_cache.py`.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

SIZE = 48
"""Side of a face in pixels: FER2013's, and so the models'."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to turn a picture of each EXIF orientation but 1."""
Gray = NDArray[np.uint8]
Scaled = NDArray[np.float32]


def to_gray(picture: Image.Image) -> Gray:
    """Return a picture of any mode and size as a [48, 48] uint8 gray face.

    Transparency is laid over mid-gray. Pictures of 16 bits and more are scaled by
    their high byte, because Pillow's own conversion to 8 bits clips them to white;
    floats that stay within 1 are taken for fractions of white.
    """
    if picture.mode == "LAB":  # Pillow brings it to RGB alone
        picture = picture.convert("RGB")
    if picture.mode.startswith("I") or picture.mode == "F":
        gray = Image.fromarray(float_levels(picture))
    elif picture.has_transparency_data:
        base = Image.new("RGBA", picture.size, (128, 128, 128, 255))
        gray = Image.alpha_composite(base, picture.convert("RGBA")).convert("L")
    else:
        gray = picture if picture.mode == "L" else picture.convert("L")
    if gray.size != (SIZE, SIZE):
        gray = gray.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    return np.asarray(gray, np.uint8)


def float_levels(picture: Image.Image) -> Gray:
    """Return a picture of 16 or 32 bits or floats as 8-bit gray [H, W], scaled as by `to_gray`."""
    levels = np.nan_to_num(np.asarray(picture).astype(np.float64))
    if picture.mode.startswith("I;16") or levels.max(initial=0) > 255:
        levels = levels / 256
    elif picture.mode == "F" and levels.max(initial=0) <= 1:
        levels = levels * 255
    return np.asarray(levels.clip(0, 255), np.uint8)


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """Return the width and height of a picture that was opened, as `upright` gives it."""
    if picture.format in ("PNG", "TIFF"):
        # Pillow turns a TIFF as it loads it, and gives its turned size before or only then. A PNG
        # it loads to look for EXIF data: a fault of the pixels would pass for one of those.
        picture.load()
    turned = _orientation(picture) in range(5, 9)
    return (picture.height, picture.width) if turned else picture.size


def upright(picture: Image.Image) -> Image.Image:
    """Return a picture turned as its EXIF orientation says, its metadata untouched.

    Pillow's own `exif_transpose` writes the EXIF data anew, which fails where they are faulty.
    """
    picture.load()
    method = _TURNS.get(_orientation(picture))
    return picture if method is None else picture.transpose(method)


def _orientation(picture: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 for a missing or senseless one."""
    try:
        value = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        # Metadata do not concern the pixels, and Pillow raises nearly anything for bad ones.
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def to_scaled(faces: Gray) -> Scaled:
    """Return gray faces [..., 48, 48] uint8 as float32 in [-1, 1] of the same shape."""
    scaled = faces.astype(np.float32)
    scaled /= np.float32(127.5)
    scaled -= np.float32(1)
    return scaled


def to_levels(scaled: Scaled) -> Gray:
    """Return float faces in [-1, 1] as uint8 gray levels, rounded and clipped."""
    levels = scaled + np.float32(1)
    levels *= np.float32(127.5)
    np.rint(levels, levels)
    np.clip(levels, 0, 255, levels)
    return levels.astype(np.uint8)
