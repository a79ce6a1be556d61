"""Result files: encoded, marked as AI-made, written under a temporary name and renamed."""

import errno
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cctranslate import __version__
from cctranslate.errors import UserError
from cctranslate.pixels import float_levels

SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


class OutputError(UserError):
    """Results cannot be written at all: the run ends, and what is done stays done."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """A picture to write, the colour profile it is in, and the EXIF data that it keeps."""

    picture: Image.Image
    icc: bytes | None = None
    exif: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Writes results below `out` in one format; `mark` says in each that a model altered it."""

    out: Path
    format: str
    mark: bool

    def write(self, result: Result, place: str, emotion: str) -> None:
        """Write one result; whatever stood there is replaced whole or not at all.

        Raises:
            OutputError: the disk is full or `out` cannot be written to.
            OSError: this file alone cannot be written, or the format not hold the picture.
        """
        path = self.out / place
        # The same name every time: what a killed run left here is replaced by the next one.
        partial = path.parent / f".{path.name}.partial"
        content = encode(result, self.format, xmp(emotion) if self.mark else None)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            if error.errno in _FATAL:
                raise OutputError(f"{path}: cannot be written: {error.strerror}") from None
            raise

    def discard(self, places: Iterable[str]) -> None:
        """Take back files that were written."""
        for place in places:
            (self.out / place).unlink(missing_ok=True)


def encode(result: Result, form: str, packet: str | None) -> bytes:
    """A result as the bytes of a file. Nothing goes in but what it holds and the mark.

    Raises:
        OSError: the format cannot hold the picture.
    """
    options: dict[str, Any] = {"icc_profile": result.icc}
    if result.exif:
        options["exif"] = result.exif
    if form == "png":
        info = PngInfo()
        if packet:
            info.add_itxt("XML:com.adobe.xmp", packet)
        # A third of the time that level 6 takes, for files of nearly the same size.
        options |= {"pnginfo": info, "compress_level": 4}
    else:
        options["xmp"] = (packet or "").encode()
        options |= {"quality": 95, "subsampling": 0} if form == "jpeg" else {"lossless": True}
    out = io.BytesIO()
    try:
        _fitting(result.picture, form).save(out, form, **options)
    except ValueError as error:
        raise OSError(f"no {form}: {error}") from None
    return out.getvalue()


def _fitting(picture: Image.Image, form: str) -> Image.Image:
    """The picture in a mode that the format holds: JPEG has no alpha, and only PNG 16 bits."""
    if form == "png":
        return picture
    if picture.mode.startswith("I"):
        picture = Image.fromarray(float_levels(picture))
    if form == "webp":
        return picture.convert("RGBA" if picture.mode.endswith("A") else "RGB")
    if picture.has_transparency_data:
        base = Image.new("RGBA", picture.size, "white")
        solid = Image.alpha_composite(base, picture.convert("RGBA"))
        return solid.convert(picture.mode.removesuffix("A"))
    return picture


def xmp(emotion: str) -> str:
    """The mark: IPTC's word for a picture that a trained model altered, the tool, the target."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<Iptc4xmpExt:DigitalSourceType>{_SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>"
        f"<xmp:CreatorTool>cctranslate {escape(__version__)}</xmp:CreatorTool>"
        f"<dc:description>Expression changed to {escape(emotion)} by a generative model"
        "</dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
