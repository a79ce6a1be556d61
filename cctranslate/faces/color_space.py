"""The color space of a picture's levels: its profile, or a PNG's gamma and primaries."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from cctranslate.pixels import Floats

_SPACES = {"L": b"GRAY", "RGB": b"RGB "}
"""The color space that an ICC profile's header names, by the bands that it fits."""
_SRGB_PRIMARIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
"""The x and y of white, red, green and blue."""
_SRGB_GAMMA = 0.45455
"""The exponent from light to levels where a PNG names primaries and no gamma."""
_SMALLEST_GAMUT = 0.01
"""Twice the area of the smallest triangle of primaries that is accepted; sRGB's is 0.22."""


@dataclass(frozen=True, kw_only=True)
class ColorSpace:
    """The color space of a picture; sRGB if every field is None."""

    icc: bytes | None = None
    gamma: float | None = None
    """The exponent from light to levels, as in PNG's gAMA."""
    primaries: tuple[float, ...] | None = None
    """The x and y of white, red, green and blue, as in PNG's cHRM."""

    @property
    def info(self) -> dict[str, Any]:
        """The entries that Pillow keeps in a picture's `info`."""
        entries = {
            "icc_profile": self.icc,
            "gamma": self.gamma,
            "chromaticity": self.primaries,
        }
        return {name: value for name, value in entries.items() if value}


def color_space(picture: Image.Image, bands: str) -> ColorSpace:
    """Return the color space of a picture after its conversion to `L` or `RGB`.

    A profile that does not fit the bands is left out, as viewers ignore it.
    """
    icc = picture.info.get("icc_profile")
    if icc:
        return ColorSpace(icc=icc if icc[16:20] == _SPACES[bands] else None)
    if "srgb" in picture.info:
        return ColorSpace()
    primaries = tuple(picture.info.get("chromaticity") or ())
    return ColorSpace(
        gamma=picture.info.get("gamma") or None,
        primaries=primaries if _are_primaries(primaries) else None,
    )


def _are_primaries(values: tuple[float, ...]) -> bool:
    """Return whether values are the x and y of white, red, green and blue of a color space."""
    if len(values) != 8 or not all(values[1::2]):
        return False
    red, green, blue = np.reshape(values, (4, 2))[1:]
    (a, b), (c, d) = green - red, blue - red
    return bool(abs(a * d - b * c) > _SMALLEST_GAMUT)


def to_srgb(picture: Image.Image, space: ColorSpace, *, holds_profile: bool = True) -> Image.Image:
    """Return a picture of 8 bits in sRGB, for a format that cannot store its color space.

    A gray picture with a profile becomes RGB.

    Args:
        picture: In mode L, LA, RGB or RGBA.
        space: Its color space.
        holds_profile: Whether the format can store an RGB profile. Then an RGB picture with one
            is not converted.
    """
    alpha = picture.getchannel("A") if picture.mode.endswith("A") else None
    opaque = picture.convert(picture.mode.removesuffix("A")) if alpha else picture
    if space.icc and (opaque.mode == "L" or not holds_profile):
        converted = _from_profile(opaque, space.icc)
    elif space.gamma or space.primaries:
        converted = _from_gamma(opaque, space)
    else:
        return picture
    if alpha:
        converted.putalpha(alpha)
    return converted


def _from_profile(picture: Image.Image, icc: bytes) -> Image.Image:
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, profile, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return picture  # a damaged profile is ignored
    assert converted is not None  # not in place
    return converted


def _from_gamma(picture: Image.Image, space: ColorSpace) -> Image.Image:
    levels = np.asarray(picture, np.float32) / np.float32(255)
    light = levels ** np.float32(1 / (space.gamma or _SRGB_GAMMA))
    if space.primaries and light.ndim == 3:
        matrix = np.linalg.inv(_to_xyz(_SRGB_PRIMARIES)) @ _to_xyz(space.primaries)
        light = (light @ matrix.T.astype(np.float32)).clip(0, 1)
    dark = light <= 0.0031308
    encoded = np.where(dark, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray(np.rint(encoded * 255).clip(0, 255).astype(np.uint8))


def _to_xyz(primaries: tuple[float, ...]) -> Floats:
    """Return the matrix [3,3] from linear RGB to XYZ."""
    x, y = np.array(primaries[::2]), np.array(primaries[1::2])
    xyz = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    return np.asarray(xyz[:, 1:] * np.linalg.solve(xyz[:, 1:], xyz[:, 0]), np.float32)
