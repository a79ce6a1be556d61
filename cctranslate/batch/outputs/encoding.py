"""Encode result pictures, and mark them as made by a generative model."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import MAX_TEXT_CHUNK, PngInfo, putchunk

from cctranslate import __version__
from cctranslate.faces.color_space import ColorSpace, to_srgb
from cctranslate.pictures import float_levels

SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
"""The suffix that results get, by format."""
FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
"""The format that a suffix names, by suffix."""
LARGE = 1 << 20
"""Pixels above which a PNG is treated as a photograph, in which details do not repeat."""
_BAND = 64
"""Rows of a large PNG that are filtered at once, to bound memory."""
_AVERAGE = 3
"""The number of PNG's filter that subtracts the mean of the bytes to the left and above."""
SAME = "same"
"""The value of `--format` that takes the format of each source, where it can be written."""
_WRITABLE = {"JPEG": "jpeg", "MPO": "jpeg", "WEBP": "webp"}
JPEG_QUALITY = 95
"""Pillow's quality of JPEG results, unless `--quality` names another."""
MARK = "compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for existing media that a generative model altered."""
_SOURCE_TYPE = f"http://cv.iptc.org/newscodes/digitalsourcetype/{MARK}"


@dataclass(frozen=True, kw_only=True)
class Result:
    """A picture to encode, with its color space and EXIF data."""

    picture: Image.Image
    color_space: ColorSpace = field(default_factory=ColorSpace)
    exif: bytes = b""
    source_format: str = ""
    """Pillow's name for the format of the picture that it is made from."""
    halved_color: bool = False
    """Whether its source is a JPEG with color at half the size: then the result may be, too."""


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """The format of result pictures; `mark` says in each that a model altered it."""

    format: str
    mark: bool
    quality: int | None = None
    """Of JPEG and WebP, 1 to 100; None: 95 for JPEG, lossless for WebP."""

    def encode(self, result: Result, target: str) -> bytes:
        """Return a result, translated to `target`, as the bytes of a file.

        Raises:
            OSError: The format cannot hold the picture.
        """
        form = same_format(result.source_format) if self.format == SAME else self.format
        return encode(result, form, xmp(target) if self.mark else None, self.quality)


def same_format(source_format: str) -> str:
    """Return the format of results for a source's format; `png` where that cannot be written."""
    return _WRITABLE.get(source_format, "png")


def encode(result: Result, form: str, packet: str | None, quality: int | None = None) -> bytes:
    """Return a result as the bytes of a file, with the result's metadata and the mark alone.

    Raises:
        OSError: The format cannot hold the picture.
    """
    picture, space = _fitting(result.picture, form, result.color_space), result.color_space
    icc = space.icc
    if icc and (
        not _holds(form, icc) or (icc[16:20] == b"GRAY" and picture.mode.startswith("RGB"))
    ):
        icc = None
    options: dict[str, Any] = {"icc_profile": icc}
    if result.exif:
        options["exif"] = result.exif
    if form == "png":
        info = _png_info(packet)
        _add_color_space(info, space)
        # Runs of equal bytes are all that repeats in a photograph. To look for nothing else halves
        # the time of level 4, which is a third of level 6's, for files of nearly the same size.
        options |= {"pnginfo": info, "compress_level": 4, "compress_type": zlib.Z_RLE}
        if picture.width * picture.height > LARGE:
            return _large_png(picture, options)
    else:
        options["xmp"] = (packet or "").encode()
        # Exact: colors stay where the picture is transparent, too.
        options |= {"lossless": quality is None, "exact": True} if form == "webp" else {}
        if form == "jpeg":
            halved = result.halved_color or quality is not None
            options |= {"quality": JPEG_QUALITY, "subsampling": "4:2:0" if halved else "4:4:4"}
        if quality is not None:
            options["quality"] = quality
    out = io.BytesIO()
    try:
        picture.save(out, form, **options)
    except ValueError as error:
        raise OSError(f"no {form}: {error}") from None
    return out.getvalue()


def _large_png(picture: Image.Image, options: dict[str, Any]) -> bytes:
    """Return a photograph as a PNG, in half the time of Pillow's lowest compression level.

    Pillow tries five filters for each row, this function uses one. Files are smaller than at that
    level.
    """
    small = io.BytesIO()
    Image.new(picture.mode, (1, 1)).save(small, "png", **options)
    head = small.getvalue()
    out = io.BytesIO()
    out.write(head[:8])
    putchunk(out, b"IHDR", struct.pack(">2L", *picture.size), head[24:29])
    # What lies between the header and the pixels, up to the name of their chunk.
    out.write(head[33 : head.rindex(b"IDAT") - 4])
    packer = zlib.compressobj(1, strategy=zlib.Z_RLE)
    for rows in _filtered(picture):
        if packed := packer.compress(rows.data):
            putchunk(out, b"IDAT", packed)
    putchunk(out, b"IDAT", packer.flush())
    putchunk(out, b"IEND", b"")
    return out.getvalue()


def _filtered(picture: Image.Image) -> Iterator[NDArray[np.uint8]]:
    """Yield bands of a picture's rows after PNG's filter."""
    width, height = picture.size
    above: NDArray[np.uint8] | None = None
    for top in range(0, height, _BAND):
        levels = np.asarray(picture.crop((0, top, width, min(top + _BAND, height))))
        rows = levels.astype(levels.dtype.newbyteorder(">")).reshape(len(levels), -1).view(np.uint8)
        step = rows.shape[1] // width
        left, up = np.zeros_like(rows), np.zeros_like(rows)
        left[:, step:], up[1:] = rows[:, :-step], rows[:-1]
        if above is not None:
            up[0] = above
        lines = np.full((len(rows), rows.shape[1] + 1), _AVERAGE, np.uint8)
        # The mean of `left` and `up`, rounded down, in 8 bits: their sum would need 9.
        np.subtract(rows, (left & up) + ((left ^ up) >> 1), lines[:, 1:])
        above = rows[-1]
        yield lines


def _png_info(packet: str | None) -> PngInfo:
    info = PngInfo()
    if packet:
        info.add_itxt("XML:com.adobe.xmp", packet)
    return info


def png_mark() -> PngInfo:
    """Return the mark, as PNG metadata, for a picture that shows several results."""
    return _png_info(xmp("several expressions"))


def _add_color_space(info: PngInfo, space: ColorSpace) -> None:
    """Add the chunks that Pillow does not write."""
    if space.primaries:
        info.add(b"cHRM", struct.pack(">8L", *(round(value * 1e5) for value in space.primaries)))
    if space.gamma:
        info.add(b"gAMA", struct.pack(">L", round(space.gamma * 1e5)))


def _fitting(picture: Image.Image, form: str, space: ColorSpace) -> Image.Image:
    """Return the picture in a mode and color space that the format can hold.

    JPEG has no alpha, WebP no gray, and only PNG has 16 bits, gamma and primaries.
    """
    if form == "png":
        if _holds(form, space.icc) or picture.mode.startswith("I"):
            return picture
        return to_srgb(picture, space, holds_profile=False)
    if picture.mode.startswith("I"):
        picture = Image.fromarray(float_levels(picture))
    if form == "webp" or not space.icc:
        picture = to_srgb(picture, space)
    if form == "webp":
        return picture.convert("RGBA" if picture.mode.endswith("A") else "RGB")
    if picture.has_transparency_data:
        base = Image.new("RGBA", picture.size, "white")
        solid = Image.alpha_composite(base, picture.convert("RGBA"))
        return solid.convert(picture.mode.removesuffix("A"))
    return picture


def _holds(form: str, icc: bytes | None) -> bool:
    """Return whether a format can hold a profile: Pillow opens no PNG with a larger one."""
    return form != "png" or len(icc or b"") <= MAX_TEXT_CHUNK


@cache
def xmp(emotion: str) -> str:
    """Return the mark: IPTC's term for a picture altered by a model, the tool and the target."""
    version, name = (escape(word, quote=False) for word in (__version__, emotion))
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<Iptc4xmpExt:DigitalSourceType>{_SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>"
        f"<xmp:CreatorTool>cctranslate {version}</xmp:CreatorTool>"
        f"<dc:description>Expression changed to {name} by a generative model"
        "</dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
