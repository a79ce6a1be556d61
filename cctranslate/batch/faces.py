"""From a file to the face that the models take."""

import hashlib
import io
import stat
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from cctranslate.batch.source import Item
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
    try:
        status = item.path.stat()
        ordinary = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
        if not (item.named or ordinary):
            return Unusable(item=item, skipped=True, reason="a pipe, socket or device")
        with item.path.open("rb") as file:
            return _face(item, file if file.seekable() else io.BytesIO(file.read()))
    except UnidentifiedImageError:
        # A walked file whose own name says picture is a broken picture, not something else.
        picture = item.named or item.path.suffix.lower() in Image.registered_extensions()
        reason = "not a picture that Pillow can read" if status.st_size else "empty file"
        return Unusable(item=item, skipped=not picture, reason=reason)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _failed(item, _too_large())
    except _RefusedError as refused:
        return _failed(item, str(refused))
    except OSError as error:
        return _failed(item, error.strerror or str(error))
    except Exception as error:
        # Decoders meet hostile bytes here and raise nearly anything.
        return _failed(item, f"cannot be decoded: {type(error).__name__}: {error}")


_ONE_PICTURE = frozenset({"MPO", "PSD"})
"""Formats whose further frames are previews or layers of the one picture."""


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


def _too_large() -> str:
    return f"more than {Image.MAX_IMAGE_PIXELS:,} pixels: shrink it first"


def _failed(item: Item, reason: str) -> Unusable:
    return Unusable(item=item, skipped=False, reason=" ".join(reason.split()))
