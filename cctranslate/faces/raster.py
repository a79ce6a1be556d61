"""A picture as arrays: upright, in gray or RGB of 8 or 16 bits, its alpha apart."""

import io
from dataclasses import dataclass, field
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from cctranslate.faces.color_space import ColorSpace, color_space
from cctranslate.faces.exif import KeptExif, kept_exif
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
    color_space: ColorSpace = field(default_factory=ColorSpace)
    exif: KeptExif = field(default_factory=KeptExif)

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
    exif = kept_exif(turned)
    if turned.mode.startswith(("I", "F")):
        return Canvas(levels=_deep(turned), color_space=color_space(turned, "L"), exif=exif)
    bands = "L" if turned.mode in _GRAYS else "RGB"
    space = color_space(turned, bands)
    if turned.mode == "CMYK":
        turned = _from_ink(turned, turned.info.get("icc_profile"))
    if not turned.has_transparency_data:
        return Canvas(levels=np.asarray(turned.convert(bands)), color_space=space, exif=exif)
    both = np.asarray(turned.convert(bands + "A"))
    levels = np.ascontiguousarray(both[..., 0] if bands == "L" else both[..., :3])
    alpha = np.ascontiguousarray(both[..., -1])
    return Canvas(levels=levels, alpha=alpha, color_space=space, exif=exif)


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
