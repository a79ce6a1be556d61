"""Decode an item: read its picture, find its faces and crop them for the models."""

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
from cctranslate.batch.inputs.decoded import Decoded, DecodeFailure, DecodeResult
from cctranslate.batch.inputs.file_kinds import describe_unread
from cctranslate.batch.inputs.opening import File, RefusedError, read_picture
from cctranslate.batch.items import BrokenItem, ContentItem, DatasetRow, Item
from cctranslate.errors import UserError
from cctranslate.faces import raster
from cctranslate.faces.crops import Face, FaceChoice, choose_faces, edge_to_edge, find_faces
from cctranslate.faces.detector import LARGEST_SIDE, FaceDetector
from cctranslate.faces.raster import Canvas
from cctranslate.fer2013 import HEAD, parse_pixels
from cctranslate.files.paths import FileStamp, stamp_from
from cctranslate.files.pipes import is_pipe, read_pipe
from cctranslate.files.small_files import SMALL, read_at_once
from cctranslate.pictures import to_gray, upright, upright_size
from cctranslate.pixels import SIZE

FaceMode = Literal["auto", "whole", "detect"]
NO_FACE_DETECTED = "no face found; with --faces whole the picture itself is taken for one"
LARGEST_AUTO_FACE = 96
"""The longer side, in pixels, up to which `auto` takes a picture for a face."""
_LARGEST_REMAPPED = 32_766
"""Most pixels of a face's side: OpenCV's `remap` takes no larger picture."""
_ONE_PICTURE = frozenset({"MPO", "PSD"})
"""Formats whose further frames are previews or layers of a single picture."""


class _NoFaceError(RefusedError):
    """A picture in which no face is found."""


@dataclass(frozen=True, kw_only=True)
class DecodeOptions:
    """How faces are found in pictures, and what is needed of the pictures later."""

    face_mode: FaceMode
    detector: FaceDetector
    will_reread: bool
    """Whether results are drawn into the pictures, for which these are read again."""
    which: FaceChoice = "all"
    metadata: bool = False
    """Whether results keep the pictures' metadata."""

    def is_whole(self, width: int, height: int) -> bool:
        """Return whether a picture of this size counts as a face by itself."""
        is_small = max(width, height) <= LARGEST_AUTO_FACE
        return self.face_mode == "whole" or (self.face_mode == "auto" and is_small)


def decode(item: Item, options: DecodeOptions) -> DecodeResult:
    """Decode an item. Whatever is wrong with it is returned as a failure, never raised."""
    # A picture that was read has its stamp already: another `stat` takes as long as a copy.
    result = _decode(item, options)
    return result if result.stamp else replace(result, stamp=item.stamp)


def _decode(item: Item, options: DecodeOptions) -> DecodeResult:
    bare = item.without_content()
    if isinstance(item, BrokenItem):
        return replace(_failed(bare, item.reason), skipped=item.skipped)
    if isinstance(item, DatasetRow):
        return _from_row(item)
    try:
        if isinstance(item, ContentItem):
            return _decode_picture(item, io.BytesIO(item.content), options)
        status = item.path.stat()
        if not (item.named or stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            return DecodeFailure(item=bare, skipped=True, reason="a pipe, socket or device")
        stamp = stamp_from(status)
        if stamp and stamp.size <= SMALL:
            return _decode_picture(item, io.BytesIO(read_at_once(item.path)), options, stamp)
        if is_pipe(item.path):
            item = item.with_content(read_pipe(item.path, LARGEST))
            return _decode_picture(item, io.BytesIO(item.content), options)
        with item.path.open("rb") as file:
            return _decode_picture(item, file, options, stamp)
    except UnidentifiedImageError:
        kind = describe_unread(_head(item), item.name, named=item.named, member=bool(item.inner))
        return DecodeFailure(
            item=bare, skipped=kind.skipped, reason=kind.reason, unsupported=kind.unsupported
        )
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _failed(bare, _too_large())
    except _NoFaceError:
        return DecodeFailure(item=bare, skipped=True, reason=NO_FACE_DETECTED)
    except RefusedError as refused:
        return replace(_failed(bare, str(refused)), unsupported=refused.unsupported)
    except IsADirectoryError:
        return _failed(bare, "a folder where one picture is expected")
    except OSError as error:
        return _failed(bare, error.strerror or str(error))
    except UserError as error:  # the detector's model cannot be loaded
        return _failed(bare, str(error))
    except MemoryError:
        return _failed(bare, "memory is short: give fewer --workers, or shrink the picture")
    except Exception as error:
        # Decoders meet hostile bytes here and raise nearly anything.
        return _failed(bare, f"cannot be decoded: {type(error).__name__}: {error}")


def reread(decoded: Decoded) -> Canvas:
    """Read a decoded picture again.

    Raises:
        OSError: It cannot be read any more, or has changed.
    """
    with open_item(decoded.item) as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != decoded.sha256:
            raise OSError("the picture was changed since its faces were found")
        file.seek(0)
        return read_picture(file, decoded.item.name, raster.read)


def _head(item: Item) -> bytes:
    """Return the first bytes of an item's file; none if it is gone by now."""
    try:
        with open_item(item) as file:
            return file.read(HEAD)
    except OSError:
        return b""


def open_item(item: Item) -> File:
    """Open an item's file, or its content in memory.

    Raises:
        OSError: It cannot be opened.
    """
    return io.BytesIO(item.content) if isinstance(item, ContentItem) else item.path.open("rb")


def count_pixels(item: Item) -> int:
    """Return the number of pixels that an item's header states; 0 if it cannot be read."""
    with suppress(Exception), open_item(item) as file, Image.open(file) as picture:
        return picture.width * picture.height
    return 0


def _decode_picture(
    item: Item, file: File, options: DecodeOptions, stamp: FileStamp | None = None
) -> Decoded:
    decoded = read_picture(file, item.name, partial(_find_faces, item, options, file))
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    needed = options.will_reread and (options.metadata or not decoded.is_model_sized)
    return replace(
        decoded, item=item if needed else item.without_content(), sha256=digest, stamp=stamp
    )


def _find_faces(item: Item, options: DecodeOptions, file: File, picture: Image.Image) -> Decoded:
    """Return the decoded picture, without its digest."""
    _refuse_unsuitable(picture)
    (width, height), mode = upright_size(picture), picture.mode
    if options.is_whole(width, height):
        if max(width, height) > _LARGEST_REMAPPED:
            raise RefusedError(
                f"a face of more than {_LARGEST_REMAPPED:,} pixels: shrink the picture"
            )
        picture.draft("L", (2 * SIZE, 2 * SIZE))
        faces: tuple[Face, ...] = (edge_to_edge(to_gray(upright(picture)), width, height),)
    else:
        detected = _search(picture, (width, height), options.detector, item, file)
        faces = choose_faces(detected, options.which)
        if not faces:
            raise _NoFaceError
    return Decoded(
        item=item,
        faces=faces,
        width=width,
        height=height,
        mode=mode,
        sha256="",
        is_opaque=not picture.has_transparency_data,
        format=picture.format or "",
    )


def _search(
    picture: Image.Image, size: tuple[int, int], detector: FaceDetector, item: Item, file: File
) -> tuple[Face, ...]:
    """Return the faces in a picture; a large JPEG is decoded at the detector's largest scale."""
    reduction = LARGEST_SIDE / max(size)
    width, height = (math.ceil(side * reduction) for side in picture.size)
    picture.draft(picture.mode, (width, height))
    reduced = raster.read(picture).opaque_levels()

    def in_full() -> Canvas:
        file.seek(0)
        return read_picture(file, item.name, raster.read)

    return find_faces(reduced, detector, size, in_full if reduced.shape[:2] != size[::-1] else None)


def _refuse_unsuitable(picture: Image.Image) -> None:
    if getattr(picture, "n_frames", 1) > 1 and picture.format not in _ONE_PICTURE:
        raise RefusedError(
            "animated or of several pages: save the one you want as a picture of its own"
        )
    # Pillow only warns between its limit and twice that.
    if Image.MAX_IMAGE_PIXELS and picture.width * picture.height > Image.MAX_IMAGE_PIXELS:
        raise RefusedError(_too_large())


def _from_row(row: DatasetRow) -> DecodeResult:
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
