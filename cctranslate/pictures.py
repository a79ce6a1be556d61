"""Pictures of Pillow: as gray levels, and turned upright."""

import numpy as np
from PIL import ExifTags, Image

from cctranslate.pixels import SIZE, Gray

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How pictures of EXIF orientations 2 to 8 are turned upright."""


def to_gray(picture: Image.Image) -> Gray:
    """Return a picture of any mode and size as a [48, 48] uint8 gray face.

    Transparency is laid over mid-gray. Pictures of 16 bits and more are scaled by
    their high byte, because Pillow's own conversion to 8 bits clips them to white;
    floats that stay within 1 are taken for fractions of white.
    """
    if picture.mode == "LAB":  # Pillow converts it only to RGB
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
    """Return a picture of 16 or 32 bits or floats as 8-bit gray [H, W], scaled as by `to_gray`.

    Infinity is white. What is not a number is black.
    """
    levels = np.asarray(picture).astype(np.float64)
    largest = levels.max(where=np.isfinite(levels), initial=0)
    if picture.mode.startswith("I;16") or largest > 255:
        levels = levels / 256
    elif picture.mode == "F" and largest <= 1:
        levels = levels * 255
    return np.asarray(np.nan_to_num(levels, posinf=255).clip(0, 255), np.uint8)


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """Return the width and height that an opened picture has after `upright`."""
    if picture.format in ("PNG", "TIFF"):
        # Pillow turns a TIFF while loading it, and some versions give the turned size only then. To
        # look for EXIF data it loads a PNG: damaged pixels would be taken for damaged EXIF data.
        picture.load()
    turned = _orientation(picture) in range(5, 9)
    return (picture.height, picture.width) if turned else picture.size


def upright(picture: Image.Image) -> Image.Image:
    """Return a picture turned by its EXIF orientation. Its metadata stay as they are.

    Pillow's `exif_transpose` writes EXIF data anew, which fails if they are damaged.
    """
    picture.load()
    method = _TURNS.get(_orientation(picture))
    return picture if method is None else picture.transpose(method)


def _orientation(picture: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 if it is missing or damaged."""
    try:
        value = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        # Damaged metadata must not fail a picture, and Pillow raises nearly anything for them.
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1
