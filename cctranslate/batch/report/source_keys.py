"""Keys of sources, by which calls in any folder recognize the same input."""

import hashlib
import os
from pathlib import Path

from cctranslate.files.remote import is_remote


def source_key(source: str, base: Path) -> bytes:
    """Return a 16-byte key of a source whose relative path starts in `base`.

    `faces/a.png` and its absolute path have the same.
    """
    return hashlib.blake2b(os.fsencode(_absolute(source, base)), digest_size=16).digest()


def _absolute(source: str, base: Path) -> str:
    """Return a source with its absolute path; stdin and URLs stay as they are."""
    if source.startswith("-:") or is_remote(source):
        return source
    # A member's name is no path: `d/../a.png` in an archive is another member than `a.png`.
    drive, rest = os.path.splitdrive(source)
    path, colon, inner = rest.partition(":")
    return os.path.normpath(os.path.join(base, drive + path)) + colon + inner  # noqa: PTH118
