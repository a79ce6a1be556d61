"""From a file to the face that the models take."""

import hashlib
import io
import re
import stat
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from cctranslate.batch.item import Broken, FaceRow, Item, Member
from cctranslate.emotions import EMOTIONS
from cctranslate.pixels import SIZE, Gray, to_gray


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """A picture's face [48,48] uint8 and what the report says of the picture."""

    item: Item
    face: Gray
    width: int
    height: int
    mode: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Unusable:
    """A file that gives no face: `skipped` if it never claimed to be a picture, else failed."""

    item: Item
    skipped: bool
    reason: str


def decode(item: Item) -> Decoded | Unusable:
    """Read an item; whatever is wrong with it comes back as a reason, never as an exception."""
    bare = item.bare()
    if isinstance(item, Broken):
        return _failed(bare, item.reason)
    if isinstance(item, FaceRow):
        return _from_row(item)
    size = item.held
    try:
        if isinstance(item, Member):
            return _face(bare, io.BytesIO(item.content))
        status = item.path.stat()
        size = status.st_size
        ordinary = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
        if not (item.named or ordinary):
            return Unusable(item=bare, skipped=True, reason="a pipe, socket or device")
        with item.path.open("rb") as file:
            return _face(bare, file if file.seekable() else io.BytesIO(file.read()))
    except UnidentifiedImageError:
        # A walked file whose own name says picture is a broken picture, not something else.
        picture = item.named or item.name.suffix.lower() in Image.registered_extensions()
        reason = "not a picture that Pillow can read" if size else "empty file"
        return Unusable(item=bare, skipped=not picture, reason=reason)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _failed(bare, _too_large())
    except _RefusedError as refused:
        return _failed(bare, str(refused))
    except OSError as error:
        return _failed(bare, error.strerror or str(error))
    except Exception as error:
        # Decoders meet hostile bytes here and raise nearly anything.
        return _failed(bare, f"cannot be decoded: {type(error).__name__}: {error}")


_ONE_PICTURE = frozenset({"MPO", "PSD"})
"""Formats whose further frames are previews or layers of the one picture."""


_DIGITS = re.compile("[0-9 ]+")


class _RefusedError(Exception):
    """A picture that can be read but not translated."""


def _face(item: Item, file: io.BufferedReader | io.BytesIO) -> Decoded:
    with Image.open(file) as picture:
        if getattr(picture, "n_frames", 1) > 1 and picture.format not in _ONE_PICTURE:
            raise _RefusedError(
                "animated or of several pages: save the one you want as a picture of its own"
            )
        # Pillow only warns between its limit and twice that.
        if Image.MAX_IMAGE_PIXELS and picture.width * picture.height > Image.MAX_IMAGE_PIXELS:
            raise _RefusedError(_too_large())
        width, height, mode = picture.width, picture.height, picture.mode
        picture.draft("L", (2 * SIZE, 2 * SIZE))
        face = to_gray(ImageOps.exif_transpose(picture))
        file.seek(0)
        return Decoded(
            item=item,
            face=face,
            width=width,
            height=height,
            mode=mode,
            sha256=hashlib.file_digest(file, "sha256").hexdigest(),
        )


def _from_row(row: FaceRow) -> Decoded | Unusable:
    if row.emotion and not row.label:
        return _failed(row, f"emotion is {row.emotion!r}, expected 0 to {len(EMOTIONS) - 1}")
    if not _DIGITS.fullmatch(row.pixels):
        return _failed(row, "pixels hold something that is no number")
    levels = np.fromstring(row.pixels, np.int64, sep=" ")
    if levels.size != SIZE * SIZE:
        return _failed(row, f"{levels.size} pixels, expected {SIZE * SIZE}")
    if levels.max() > 255:
        return _failed(row, "a pixel lies outside 0 to 255")
    face = levels.astype(np.uint8).reshape(SIZE, SIZE)
    digest = hashlib.sha256(face.tobytes()).hexdigest()
    return Decoded(item=row, face=face, width=SIZE, height=SIZE, mode="L", sha256=digest)


def _too_large() -> str:
    return f"more than {Image.MAX_IMAGE_PIXELS:,} pixels: shrink it first"


def _failed(item: Item, reason: str) -> Unusable:
    return Unusable(item=item, skipped=False, reason=" ".join(reason.split()))
