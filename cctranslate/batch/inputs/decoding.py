"""From a file to the faces that the models take."""

import hashlib
import io
import math
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from PIL import Image, UnidentifiedImageError

from cctranslate.batch.inputs.archives import LARGEST
from cctranslate.batch.inputs.file_kinds import HEAD, unread
from cctranslate.batch.inputs.items import (
    Broken,
    Decoded,
    DecodeFailure,
    FaceRow,
    Item,
    Member,
)
from cctranslate.batch.inputs.opening import File, RefusedError, with_picture
from cctranslate.batch.stores.small_files import SMALL, read_at_once
from cctranslate.faces import raster
from cctranslate.faces.crops import Face, FaceChoice, choose_faces, edge_to_edge, find_faces
from cctranslate.faces.detector import LARGEST_SIDE, FaceDetector
from cctranslate.faces.raster import Canvas
from cctranslate.fer2013 import parse_pixels
from cctranslate.files import FileStamp, stamp_from
from cctranslate.pixels import SIZE, to_gray, upright, upright_size

FaceMode = Literal["auto", "whole", "detect"]
LARGEST_FACE = 96
"""The longer side, in pixels, up to which `auto` takes a picture for a face."""


@dataclass(frozen=True, kw_only=True)
class DecodeOptions:
    """Where faces are looked for in pictures, and what is needed of these later."""

    where: FaceMode
    detector: FaceDetector
    needed_again: bool
    """Whether the pictures will be read once more."""
    which: FaceChoice = "all"
    metadata: bool = False
    """Whether results keep the pictures' metadata."""

    def is_whole(self, width: int, height: int) -> bool:
        """Return whether a picture of this size is taken for a face."""
        is_small = max(width, height) <= LARGEST_FACE
        return self.where == "whole" or (self.where == "auto" and is_small)


def decode(item: Item, options: DecodeOptions) -> Decoded | DecodeFailure:
    """Read an item; whatever is wrong with it comes back as a reason, never as an exception."""
    # A picture that was read has the stamp from then: looking again takes as long as a copy.
    found = _decode(item, options)
    return found if found.stamp else replace(found, stamp=item.stamp)


def _decode(item: Item, options: DecodeOptions) -> Decoded | DecodeFailure:
    bare = item.bare()
    if isinstance(item, Broken):
        return replace(_failed(bare, item.reason), skipped=item.skipped)
    if isinstance(item, FaceRow):
        return _from_row(item)
    try:
        if isinstance(item, Member):
            return _faces(item, io.BytesIO(item.content), options)
        status = item.path.stat()
        if not (item.named or stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            return DecodeFailure(item=bare, skipped=True, reason="a pipe, socket or device")
        stamp = stamp_from(status)
        if stamp and stamp.size <= SMALL:
            return _faces(item, io.BytesIO(read_at_once(item.path)), options, stamp)
        with item.path.open("rb") as file:
            if file.seekable():
                return _faces(item, file, options, stamp)
            item = _in_memory(item, file.read(LARGEST + 1))  # a pipe can be read only once
        return _faces(item, io.BytesIO(item.content), options)
    except UnidentifiedImageError:
        kind = unread(_head(item), item.name, named=item.named, member=bool(item.inner))
        return DecodeFailure(
            item=bare, skipped=kind.skipped, reason=kind.reason, unreadable=kind.unreadable
        )
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _failed(bare, _too_large())
    except _NoFaceError:
        return DecodeFailure(item=bare, skipped=True, reason=NO_FACE_DETECTED)
    except RefusedError as refused:
        return replace(_failed(bare, str(refused)), unreadable=refused.unreadable)
    except IsADirectoryError:
        return _failed(bare, "a folder where one picture is expected")
    except OSError as error:
        return _failed(bare, error.strerror or str(error))
    except Exception as error:
        # Decoders meet hostile bytes here and raise nearly anything.
        return _failed(bare, f"cannot be decoded: {type(error).__name__}: {error}")


_ONE_PICTURE = frozenset({"MPO", "PSD"})
"""Formats whose further frames are previews or layers of the one picture."""


class _NoFaceError(RefusedError):
    """A picture in which no face is found."""


NO_FACE_DETECTED = "no face found; with --faces whole the picture itself is taken for one"


def read_again(decoded: Decoded) -> Canvas:
    """Return the picture that faces were found in.

    Raises:
        OSError: it cannot be read any more, or is another one by now.
    """
    with _open(decoded.item) as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != decoded.sha256:
            raise OSError("the picture was changed since its faces were found")
        file.seek(0)
        return with_picture(file, decoded.item.name, raster.read)


def _head(item: Item) -> bytes:
    """Return the first bytes of what was no picture; none of what is gone by now."""
    try:
        with _open(item) as file:
            return file.read(HEAD)
    except OSError:
        return b""


def _open(item: Item) -> File:
    return io.BytesIO(item.content) if isinstance(item, Member) else item.path.open("rb")


def count_pixels(item: Item) -> int:
    """Return the pixels of a file or a member by its header, 0 where that cannot be read."""
    with suppress(Exception), _open(item) as file, Image.open(file) as picture:
        return picture.width * picture.height
    return 0


def show(item: Item) -> Image.Image | None:
    """Return an item's picture in gray or RGB, or None if it is gone or cannot be read."""
    if isinstance(item, FaceRow):
        row = _from_row(item)
        return None if isinstance(row, DecodeFailure) else Image.fromarray(row.faces[0].levels)
    try:
        with _open(item) as file:
            return with_picture(file, item.name, raster.read).shown()
    except Exception:
        # As in `decode`; that it was read before does not say that it is the same.
        return None


def _in_memory(item: Item, content: bytes) -> Member:
    """Return an item that can only be read once, with its content."""
    if len(content) > LARGEST:
        raise RefusedError(f"more than {LARGEST >> 20} MiB through a pipe: name a file")
    same = {name: getattr(item, name) for name in ("path", "relative", "named", "inner")}
    return Member(**same, content=content)


def _faces(
    item: Item, file: File, options: DecodeOptions, stamp: FileStamp | None = None
) -> Decoded:
    decoded = with_picture(file, item.name, partial(_find, item, options, file))
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    needed = options.needed_again and (options.metadata or not decoded.is_model_sized)
    return replace(decoded, item=item if needed else item.bare(), sha256=digest, stamp=stamp)


def _find(item: Item, options: DecodeOptions, file: File, picture: Image.Image) -> Decoded:
    """Return the picture's faces, without its digest."""
    _refuse(picture)
    (width, height), mode = upright_size(picture), picture.mode
    if options.is_whole(width, height):
        picture.draft("L", (2 * SIZE, 2 * SIZE))
        faces: tuple[Face, ...] = (edge_to_edge(to_gray(upright(picture)), width, height),)
    else:
        found = _search(picture, (width, height), options.detector, item, file)
        faces = choose_faces(found, options.which)
        if not faces:
            raise _NoFaceError
    return Decoded(
        item=item,
        faces=faces,
        width=width,
        height=height,
        mode=mode,
        sha256="",
        format=picture.format or "",
    )


def _search(
    picture: Image.Image, size: tuple[int, int], detector: FaceDetector, item: Item, file: File
) -> tuple[Face, ...]:
    """Return the faces in a picture; a large JPEG is decoded at the scale that is searched."""
    reduction = LARGEST_SIDE / max(size)
    width, height = (math.ceil(side * reduction) for side in picture.size)
    picture.draft(picture.mode, (width, height))
    seen = raster.read(picture).seen()

    def in_full() -> Canvas:
        file.seek(0)
        return with_picture(file, item.name, raster.read)

    return find_faces(seen, detector, size, in_full if seen.shape[:2] != size[::-1] else None)


def _refuse(picture: Image.Image) -> None:
    if getattr(picture, "n_frames", 1) > 1 and picture.format not in _ONE_PICTURE:
        raise RefusedError(
            "animated or of several pages: save the one you want as a picture of its own"
        )
    # Pillow only warns between its limit and twice that.
    if Image.MAX_IMAGE_PIXELS and picture.width * picture.height > Image.MAX_IMAGE_PIXELS:
        raise RefusedError(_too_large())


def _from_row(row: FaceRow) -> Decoded | DecodeFailure:
    try:
        row.check()
        face = parse_pixels(row.pixels)
    except ValueError as error:
        return _failed(row, str(error))
    digest = hashlib.sha256(face.tobytes()).hexdigest()
    return Decoded(
        item=row,
        faces=(edge_to_edge(face, SIZE, SIZE),),
        width=SIZE,
        height=SIZE,
        mode="L",
        sha256=digest,
    )


def _too_large() -> str:
    return f"more than {Image.MAX_IMAGE_PIXELS:,} pixels: shrink it first"


def _failed(item: Item, reason: str) -> DecodeFailure:
    return DecodeFailure(item=item, skipped=False, reason=" ".join(reason.split()))
