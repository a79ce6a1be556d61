"""Tell by its content whether an input is the one that an earlier call read."""

import hashlib

from cctranslate.batch.inputs.items import ContentItem, DatasetRow, Item
from cctranslate.fer2013 import parse_pixels


def digest(item: Item) -> int | None:
    """Return `shortened` of the digest of an input, as its row in the report has it.

    A member of an archive must be fetched. None of what cannot be read.
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
