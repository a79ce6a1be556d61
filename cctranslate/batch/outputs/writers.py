"""Results: encoded, marked as AI-made, and as files, written under a temporary name and renamed."""

import errno
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self
from xml.sax.saxutils import escape

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cctranslate import __version__
from cctranslate.batch.report.schema import Row
from cctranslate.errors import OutputError
from cctranslate.pixels import float_levels

SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


@dataclass(frozen=True, kw_only=True)
class Result:
    """A picture to write, the colour profile it is in, and the EXIF data that it keeps."""

    picture: Image.Image
    icc: bytes | None = None
    exif: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A result and what is known of it."""

    result: Result
    rows: tuple[Row, ...]
    """What the report says of it: a row for each face that is changed in it."""
    usage: str
    """Which part of a dataset in FER2013's form it belongs to."""

    @property
    def place(self) -> str:
        """Its path below OUT, by the layout."""
        return self.rows[0].output

    @property
    def target(self) -> str:
        """The expression that it was given."""
        return self.rows[0].target


class Packer(Protocol):
    """How a layout's results are made, in any thread or process."""

    @property
    def in_memory(self) -> bool:
        """Whether results wait in memory for the writer's `add`."""

    def write(self, results: Iterable[Placed]) -> bytes:
        """Make an input's results, all or none of them; returns what the writer's `add` takes.

        Raises:
            OutputError: nothing can be written any more.
            OSError: these results alone cannot be written, or their format not hold them.
        """


class Writer(Protocol):
    """Where a layout's results go, one input after the other."""

    @property
    def packer(self) -> Packer:
        """What makes them."""

    def add(self, rows: list[Row], content: bytes) -> list[Row]:
        """Put away what the packer made, in the inputs' order; the rows say where it came to lie.

        Raises:
            OutputError: nothing can be written any more.
        """

    def close(self) -> None:
        """End what is open.

        Raises:
            OutputError: it cannot be written.
        """


@dataclass(frozen=True, kw_only=True)
class Form:
    """The format of result pictures; `mark` says in each that a model altered it."""

    format: str
    mark: bool

    def encode(self, placed: Placed) -> bytes:
        """A result as the bytes of a file.

        Raises:
            OSError: the format cannot hold the picture.
        """
        packet = xmp(placed.target) if self.mark else None
        return encode(placed.result, self.format, packet)


@dataclass(frozen=True, kw_only=True)
class Files:
    """Each result as a file of its own below `out`."""

    out: Path
    form: Form
    in_memory: bool = False

    @property
    def packer(self) -> Self:
        """Itself: files are written where they are made."""
        return self

    def write(self, results: Iterable[Placed]) -> bytes:
        """Write each under a temporary name and rename it; if one fails, the others are unlinked.

        Raises:
            OutputError: the disk is full or `out` cannot be written to.
            OSError: a file alone cannot be written, or the format not hold the picture.
        """
        written: list[Path] = []
        try:
            for placed in results:
                path = self.out / placed.place
                self._write(self.form.encode(placed), path)
                written.append(path)
        except OSError:
            for path in written:
                path.unlink(missing_ok=True)
            raise
        return b""

    def add(self, rows: list[Row], content: bytes) -> list[Row]:
        """The rows as they are: the files are there."""
        return rows

    def close(self) -> None:
        """There is nothing open."""

    def _write(self, content: bytes, path: Path) -> None:
        # The same name every time: what a killed run left here is replaced by the next one.
        partial = path.parent / f".{path.name}.partial"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            if error.errno in _FATAL:
                raise OutputError(f"{path}: cannot be written: {error.strerror}") from None
            raise


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
        # Exact: colours stay where the picture is transparent, too.
        webp = {"lossless": True, "exact": True}
        options |= {"quality": 95, "subsampling": 0} if form == "jpeg" else webp
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
