"""Result files: encoded, marked as AI-made, written under a temporary name and renamed."""

import errno
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cctranslate import __version__
from cctranslate.errors import UserError
from cctranslate.pixels import Gray

SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


class OutputError(UserError):
    """Results cannot be written at all: the run ends, and what is done stays done."""


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Writes faces below `out` in one format; `mark` says in each that a model altered it."""

    out: Path
    format: str
    mark: bool

    def write(self, face: Gray, place: str, emotion: str) -> None:
        """Write one face [48,48]; whatever stood there is replaced whole or not at all.

        Raises:
            OutputError: the disk is full or `out` cannot be written to.
            OSError: this file alone cannot be written.
        """
        path = self.out / place
        # The same name every time: what a killed run left here is replaced by the next one.
        partial = path.parent / f".{path.name}.partial"
        content = encode(face, self.format, xmp(emotion) if self.mark else None)
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


def encode(face: Gray, form: str, packet: str | None) -> bytes:
    """A face as the bytes of a file. Nothing of the source or the time goes in."""
    picture, out = Image.fromarray(face), io.BytesIO()
    if form == "png":
        info = PngInfo()
        if packet:
            info.add_itxt("XML:com.adobe.xmp", packet)
        picture.save(out, "png", pnginfo=info)
    elif form == "jpeg":
        picture.save(out, "jpeg", quality=95, xmp=(packet or "").encode())
    else:
        picture.convert("RGB").save(out, "webp", lossless=True, xmp=(packet or "").encode())
    return out.getvalue()


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
