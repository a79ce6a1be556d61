"""From a file to the face that the models take."""

import hashlib
import io
import warnings
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
        content = item.path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # Files may carry faulty metadata that does not concern their pixels.
            warnings.filterwarnings("ignore", category=UserWarning)
            return _face(item, content)
    except UnidentifiedImageError:
        # A walked file whose own name says picture is a broken picture, not something else.
        picture = item.named or item.path.suffix.lower() in Image.registered_extensions()
        reason = "empty file" if not content else "not a picture that Pillow can read"
        return Unusable(item=item, skipped=not picture, reason=reason)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        limit = f"{Image.MAX_IMAGE_PIXELS:,}"
        return _failed(item, f"more than {limit} pixels: shrink it first")
    except _RefusedError as refused:
        return _failed(item, str(refused))
    except OSError as error:
        return _failed(item, error.strerror or str(error))
    except Exception as error:
        # Decoders meet hostile bytes here and raise nearly anything.
        return _failed(item, f"cannot be decoded: {type(error).__name__}: {error}")


class _RefusedError(Exception):
    """A picture that can be read but not translated."""


def _face(item: Item, content: bytes) -> Decoded:
    with Image.open(io.BytesIO(content)) as picture:
        if getattr(picture, "n_frames", 1) > 1 and getattr(picture, "is_animated", True):
            raise _RefusedError("animated: save the frame you want as a picture of its own")
        width, height, mode = picture.width, picture.height, picture.mode
        picture.draft("L", (2 * SIZE, 2 * SIZE))
        upright = ImageOps.exif_transpose(picture)
        return Decoded(
            item=item,
            face=to_gray(upright),
            width=width,
            height=height,
            mode=mode,
            sha256=hashlib.sha256(content).hexdigest(),
        )


def _failed(item: Item, reason: str) -> Unusable:
    return Unusable(item=item, skipped=False, reason=" ".join(reason.split()))
