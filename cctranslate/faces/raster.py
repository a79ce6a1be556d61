"""A canvas: an upright picture to draw into, in gray or RGB of 8 or 16 bits, its alpha apart."""

import io
from dataclasses import dataclass, field
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from cctranslate.faces.color_space import ColorSpace, color_space
from cctranslate.faces.exif import KeptExif, kept_exif
from cctranslate.pictures import float_levels, upright
from cctranslate.pixels import Floats, Gray, Pixels

Levels = NDArray[np.uint8] | NDArray[np.uint16]
Box = tuple[int, int, int, int]
"""Left, top, right and bottom of a part of a picture, in pixels."""
T = TypeVar("T", bound=np.generic)
_GRAYS = {"1", "L", "LA", "La"}
"""Pillow's modes that become gray."""
# Pillow keeps the memory of a photograph for the next one, in blocks of 16 MiB. To get it from the
# system again would take as long as to decode the photograph.
Image.core.set_blocks_max(4)  # type: ignore[attr-defined]
_LUMA = np.array([[[0.299]], [[0.587]], [[0.114]]], np.float32)
"""Weights of red, green and blue (ITU-R BT.601), as Pillow's and OpenCV's gray has them."""
_HALVED = 2
"""Pillow's number for 4:2:0, color at half the width and height."""
_UNSEEN = 128
"""The gray level that stands for transparent pixels where faces are found and changed."""


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """A picture's pixels, and what a result takes over beside them.

    Pixels stay in a Pillow image of mode L, RGB or I;16 without metadata. A result differs from
    its picture only in parts, and converting all of a photograph to numpy and back takes longer
    than changing these.
    """

    image: Image.Image
    alpha: Image.Image | None = None
    """Mode L, if the picture has any."""
    color_space: ColorSpace = field(default_factory=ColorSpace)
    exif: KeptExif = field(default_factory=KeptExif)
    halved_color: bool = False
    """Whether its file, a JPEG, has color at half the size."""

    def opaque_levels(self, box: Box | None = None) -> Pixels:
        """Return the levels of a box, or of all, with transparent pixels in mid-gray.

        Returns:
            [H,W] gray or [H,W,3] RGB, uint8.
        """
        levels = np.asarray(self.image.crop(box) if box else self.image)
        eight = (levels >> 8).astype(np.uint8) if levels.dtype == np.uint16 else levels
        if self.alpha is None:
            return np.asarray(eight, np.uint8)
        alpha = np.asarray(self.alpha.crop(box) if box else self.alpha)
        opaque = like(alpha, levels) / np.float32(255)
        return np.asarray(np.rint(eight * opaque + _UNSEEN * (1 - opaque)), np.uint8)

    def opaque_picture(self) -> Image.Image:
        """Return the picture in gray or RGB, with transparent pixels in mid-gray."""
        if self.alpha is None and self.image.mode in ("L", "RGB"):
            return self.image
        return Image.fromarray(self.opaque_levels())

    def levels(self, box: Box) -> Levels:
        """Return a copy of the levels in a box, [H,W] gray or [H,W,3] RGB, uint8 or uint16."""
        return np.array(self.image.crop(box))

    def draw(self, levels: Levels, box: Box) -> None:
        """Replace the pixels in a box by levels [H,W] or [H,W,3]."""
        self.image.paste(Image.fromarray(levels), box)

    def picture(self) -> Image.Image:
        """Return the picture with its alpha. Later drawing may change the returned image."""
        if self.alpha is None:
            return self.image
        whole = self.image.copy()
        whole.putalpha(self.alpha)
        return whole


def gray(levels: Pixels) -> Gray:
    """Return levels [H,W] or [H,W,3] uint8 in gray [H,W]."""
    if levels.ndim == 2:
        return levels
    return np.asarray(cv2.cvtColor(levels, cv2.COLOR_RGB2GRAY), np.uint8)


def planes(levels: Levels) -> Floats:
    """Return levels [H,W] or [H,W,3] of 8 or 16 bits as planes [1,H,W] or [3,H,W] in [0, 1].

    numpy is several times as slow on a last axis of three as on whole rows.
    """
    stacked = np.stack(cv2.split(levels), dtype=np.float32)
    stacked /= np.float32(np.iinfo(levels.dtype).max)
    return stacked


def from_planes(colors: Floats, kind: np.dtype[Any]) -> Levels:
    """Return planes in [0, 1] as levels of the type `kind`, [H,W] or [H,W,3]."""
    scaled = colors * np.float32(np.iinfo(kind).max)
    levels = np.rint(scaled, scaled).astype(kind)
    return levels[0] if len(levels) == 1 else np.asarray(cv2.merge(list(levels)), kind)


def luma(colors: Floats) -> Floats:
    """Return the luma [H,W] of planes [1,H,W] or [3,H,W]."""
    if len(colors) == 1:
        return np.asarray(colors[0], np.float32)
    red, green, blue = colors * _LUMA
    return np.asarray(red + green + blue, np.float32)


def like(plane: NDArray[T], picture: NDArray[Any]) -> NDArray[T]:
    """Return a plane [H,W] shaped to broadcast with a picture [H,W] or [H,W,3]."""
    return plane.reshape(plane.shape + (1,) * (picture.ndim - 2))


def read(picture: Image.Image) -> Canvas:
    """Return the canvas of a picture of any of Pillow's modes, turned upright.

    Palettes become RGB, CMYK becomes sRGB by its profile, 32-bit and float pictures become gray of
    8 or 16 bits. The canvas may share memory with the picture and draw into it: pass a copy of a
    picture that is still needed.

    Raises:
        OSError, ValueError: It cannot be decoded, or its mode cannot be converted to RGB.
    """
    turned = upright(picture)
    exif, halved_color = kept_exif(turned), _has_halved_color(picture)
    if turned.mode.startswith(("I", "F")):
        image = Image.fromarray(_deep(turned))
        return Canvas(image=image, color_space=color_space(turned, "L"), exif=exif)
    bands = "L" if turned.mode in _GRAYS else "RGB"
    space = color_space(turned, bands)
    if turned.mode == "CMYK":
        turned = _from_ink(turned, turned.info.get("icc_profile"))
    alpha = None
    if turned.has_transparency_data:
        turned = turned.convert(bands + "A")
        alpha = turned.getchannel("A")
    # Pillow copies even where nothing is to be converted.
    image = turned if turned.mode == bands else turned.convert(bands)
    image.info = {}  # Pillow writes some of it into results unasked
    return Canvas(image=image, alpha=alpha, color_space=space, exif=exif, halved_color=halved_color)


def _has_halved_color(picture: Image.Image) -> bool:
    return isinstance(picture, JpegImageFile) and get_sampling(picture) == _HALVED


def _deep(picture: Image.Image) -> Levels:
    """Return gray of more than 8 bits: 16 bits as they are, others as 8 bits."""
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
            pass  # a damaged profile is ignored
    return picture.convert("RGB")
