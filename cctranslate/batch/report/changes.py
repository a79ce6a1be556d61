"""Tell whether an input has changed since an earlier call read it: by its stamp or its content."""

import hashlib

from cctranslate.batch.items import ContentItem, DatasetRow, Item
from cctranslate.fer2013 import parse_pixels
from cctranslate.files.paths import FileStamp

_COARSE_NS = 2_000_000_000
"""The coarsest step of a file's times, on FAT."""


def may_have_changed(stamp: FileStamp, checked_ns: int | None) -> bool:
    """Return whether a file may have changed although its size and its mtime are the same.

    The mtime can be set back, by `touch -r` or `exiftool -P`; the ctime cannot. It also changes
    with a file's mode and by copying, so that only the content tells.

    Args:
        stamp: The file's stamp.
        checked_ns: When it was looked at before; None if that is not recorded.
    """
    if checked_ns is None or stamp.ctime_ns is None:
        return False
    return stamp.ctime_ns >= checked_ns - _COARSE_NS


def stamp_digest(size: int | None, mtime_ns: int | None) -> int | None:
    """Return a digest of a file's size and mtime; None where one is not known."""
    if size is None or mtime_ns is None:
        return None
    content = f"{size}:{mtime_ns}".encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest())


def content_digest(item: Item) -> int | None:
    """Return the shortened digest of an input's content; None if it cannot be read.

    It is the digest that the input's row in the report has. A member of an archive must be fetched.
    """
    try:
        if isinstance(item, DatasetRow):
            content = parse_pixels(item.pixels).tobytes()
        elif isinstance(item, ContentItem):
            content = item.content
        elif item.inner:
            return None  # a member that its archive does not give
        else:
            with item.path.open("rb") as file:
                return shortened(hashlib.file_digest(file, "sha256").hexdigest())
    except (OSError, ValueError):
        return None
    return shortened(hashlib.sha256(content).hexdigest())


def shortened(sha256: str | None) -> int | None:
    """Return the first 64 bits of a digest, for the memory of many inputs."""
    return int(sha256[:16], 16) if sha256 else None
