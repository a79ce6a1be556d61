"""Open pictures, also those whose faulty metadata make Pillow fail."""

import ctypes
import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import PurePath
from typing import TypeVar

from PIL import Image, UnidentifiedImageError

from cctranslate.batch.inputs.archives import LARGEST
from cctranslate.batch.inputs.file_kinds import camera_raw_reason, is_camera_raw, is_document

with suppress(ImportError):  # the extra `heif`
    from pillow_heif import register_heif_opener

    register_heif_opener()
# libtiff prints what is wrong with a file, for which Pillow also raises an error. It can be
# silenced where it is a part of Pillow's library, and not linked to it.
with suppress(OSError, AttributeError):
    ctypes.CDLL(Image.core.__file__).TIFFSetErrorHandler(None)  # type: ignore[attr-defined]

T = TypeVar("T")
File = io.BufferedReader | io.BytesIO
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
"""The first bytes of files in these formats."""
_PNG_LEVELS = {
    *(b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT", b"eXIf"),
}
"""Chunks of a PNG for its levels, frames and orientation."""
_PNG_NEEDED = _PNG_LEVELS | {b"gAMA", b"cHRM", b"sRGB", b"iCCP"}
"""Those, and the chunks for its color space."""
_JPEG_DROPPED = {0xFE, *range(0xE3, 0xEE)}
"""Markers of a JPEG for comments and applications' data, except JFIF, EXIF, ICC and Adobe's."""


class RefusedError(Exception):
    """A picture can be read, but not translated; the message says why."""

    unsupported = False
    """Whether no picture of this kind can be read here."""


class CameraRawError(RefusedError):
    """Only the preview in a camera's raw file can be read."""

    unsupported = True


_FINAL = (RefusedError, Image.DecompressionBombError, Image.DecompressionBombWarning)
"""Errors that no other metadata would change."""


def read_picture(file: File, name: PurePath, read: Callable[[Image.Image], T]) -> T:
    """Open a picture and return the result of `read`. Metadata that fail it are left out.

    Texts and comments are left out first, then a PNG's color space, with a warning.

    Args:
        file: The picture's file at its beginning.
        name: Its name.
        read: Takes the opened picture. May raise RefusedError.

    Raises:
        RefusedError: It is not to be translated.
        Exception: As Pillow raises for other files and for damaged pictures.
    """
    try:
        return _read(file, name, read)
    except _FINAL:
        raise
    except Exception:
        # Pillow raises nearly anything for bad metadata, as for bad pixels.
        file.seek(0)
        for bare, warning in _without_metadata(file):
            try:
                result = _read(io.BytesIO(bare), name, read)
            except _FINAL:
                raise
            except Exception:
                continue
            if warning:
                warnings.warn(warning, stacklevel=2)
            return result
        raise


def _read(file: File, name: PurePath, read: Callable[[Image.Image], T]) -> T:
    with Image.open(file) as picture:
        if is_document(picture):
            raise UnidentifiedImageError(f"{picture.format}: no picture")
        if is_camera_raw(picture, name):
            raise CameraRawError(camera_raw_reason(name))
        return read(picture)


def _without_metadata(file: File) -> Iterator[tuple[bytes, str]]:
    """Yield a PNG or JPEG with less and less metadata, each with what to warn of, if anything."""
    head = file.read(len(_PNG))
    if not head.startswith((_PNG, _JPEG)):
        return
    content = head + file.read(LARGEST)
    bare = _bare_png(content, _PNG_NEEDED) if head == _PNG else _bare_jpeg(content)
    if len(bare) < len(content):
        yield bare, ""
    if head == _PNG and len(levels := _bare_png(bare, _PNG_LEVELS)) < len(bare):
        yield levels, "the color profile or gamma of a PNG cannot be read: it is taken for sRGB"


def _bare_png(content: bytes, chunks: set[bytes]) -> bytes:
    parts, at = [_PNG], len(_PNG)
    while at + 12 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4])
        if content[at + 4 : at + 8] in chunks:
            parts.append(content[at:end])
        at = end
    return b"".join(parts)


def _bare_jpeg(content: bytes) -> bytes:
    parts, at = [_JPEG], 2
    while content[at : at + 1] == b"\xff" and content[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4])
        if content[at + 1] not in _JPEG_DROPPED:
            parts.append(content[at:end])
        at = end
    return b"".join([*parts, content[at:]])
