"""A picture as arrays: upright, in gray or RGB of 8 or 16 bits, its alpha apart."""

import io
from dataclasses import dataclass
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

from cctranslate.pixels import Gray, Scaled, float_levels, upright

Levels = NDArray[np.uint8] | NDArray[np.uint16]
T = TypeVar("T", bound=np.generic)
_GRAYS = {"1", "L", "LA", "La"}
_UNSEEN = 128
"""Gray that the detector and the models see where a picture is transparent."""


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """A picture's pixels, and what goes with them into a result.

    `levels` are [H,W] gray or [H,W,3] RGB, uint8 or uint16; `alpha` [H,W] uint8 if it has any.
    """

    levels: Levels
    alpha: Gray | None = None
    icc: bytes | None = None
    exif: bytes = b""
    """Upright, and without the thumbnail, which would show the old face."""

    def seen(self) -> Gray:
        """Return what is seen, [H,W] or [H,W,3] uint8, with transparency over mid-gray."""
        levels = self.levels
        eight = (levels >> 8).astype(np.uint8) if levels.dtype == np.uint16 else levels
        if self.alpha is None:
            return np.asarray(eight, np.uint8)
        opaque = like(self.alpha, levels) / np.float32(255)
        return np.asarray(np.rint(eight * opaque + _UNSEEN * (1 - opaque)), np.uint8)

    def picture(self, levels: Levels) -> Image.Image:
        """`levels` with this picture's alpha, in the mode that holds them."""
        picture = Image.fromarray(levels)
        if self.alpha is not None:
            picture.putalpha(Image.fromarray(self.alpha))
        return picture


def gray(seen: Gray) -> Gray:
    """Return an RGB or gray picture [H,W,3] or [H,W] uint8 in gray [H,W]."""
    return seen if seen.ndim == 2 else np.asarray(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY), np.uint8)


def luma(colours: Scaled) -> Scaled:
    """Return an RGB or gray picture [H,W,3] or [H,W] of floats in gray [H,W]."""
    if colours.ndim == 2:
        return colours
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY), np.float32)


def like(plane: NDArray[T], picture: NDArray[Any]) -> NDArray[T]:
    """Return a plane [H,W] shaped to broadcast with a picture [H,W] or [H,W,3]."""
    return plane.reshape(plane.shape + (1,) * (picture.ndim - 2))


def read(picture: Image.Image) -> Canvas:
    """Return a picture of any of Pillow's modes, turned upright.

    Palettes become the colours they stand for, CMYK becomes sRGB by its profile, 32-bit and
    float pictures 8 or 16 bits of gray.

    Raises:
        OSError, ValueError: it cannot be decoded, or its mode not be brought to RGB.
    """
    turned = upright(picture)
    icc, exif = turned.info.get("icc_profile"), _exif(turned)
    if turned.mode.startswith(("I", "F")):
        return Canvas(levels=_deep(turned), icc=icc, exif=exif)
    if turned.mode == "CMYK":
        turned, icc = _from_ink(turned, icc), None
    if turned.mode == "LAB":
        icc = None  # of Lab; Pillow converts to sRGB
    bands = "L" if turned.mode in _GRAYS else "RGB"
    if not turned.has_transparency_data:
        # Pillow's conversion to the same mode is a copy.
        plain = turned if turned.mode == bands else turned.convert(bands)
        return Canvas(levels=np.asarray(plain), icc=icc, exif=exif)
    both = np.asarray(turned.convert(bands + "A"))
    levels = np.ascontiguousarray(both[..., 0] if bands == "L" else both[..., :3])
    return Canvas(levels=levels, alpha=np.ascontiguousarray(both[..., -1]), icc=icc, exif=exif)


def _exif(picture: Image.Image) -> bytes:
    """Return the EXIF data of an upright picture, none where they are faulty."""
    try:
        exif = picture.getexif()
        exif.pop(ExifTags.Base.Orientation, None)
        return exif.tobytes()
    except Exception:
        # Pillow raises nearly anything for bad metadata, which do not concern the pixels.
        return b""


def _deep(picture: Image.Image) -> Levels:
    """Gray of more than 8 bits: 16 bits stay so."""
    levels = np.asarray(picture)
    if picture.mode.startswith("I;16") or (picture.mode == "I" and levels.max(initial=0) > 255):
        return levels.clip(0, 65535).astype(np.uint16)
    return float_levels(picture)


def _from_ink(picture: Image.Image, icc: bytes | None) -> Image.Image:
    if icc:
        try:
            ink = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            light = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(picture, ink, light, outputMode="RGB")
            assert converted is not None  # not in place
            return converted
        except (ImageCms.PyCMSError, OSError):
            pass  # a profile that is none: as if there were none
    return picture.convert("RGB")
