"""Keys of sources, by which calls in any folder recognize the same input."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from cctranslate.files.remote import is_remote


def source_key(source: str, base: Path) -> bytes:
    """Return a 16-byte key of a source whose relative path starts in `base`.

    `faces/a.png` and its absolute path have the same, and so has `link/a.png` if `link` leads to
    `faces`. A link to a picture has a key of its own, as its name may say what the picture shows.
    """
    return hashlib.blake2b(os.fsencode(_absolute(source, base)), digest_size=16).digest()


def is_path(source: str) -> bool:
    """Return whether a source lies on a disk: it is neither stdin nor a URL."""
    return source != "-" and not source.startswith("-:") and not is_remote(source)


def split_member(source: str) -> tuple[str, str]:
    """Split a source on a disk into its path and, of a member of an archive, `:` and its name."""
    drive, rest = os.path.splitdrive(source)
    path, colon, inner = rest.partition(":")
    return drive + path, colon + inner


def _absolute(source: str, base: Path) -> str:
    """Return a source with its folder's real path; stdin and URLs stay as they are."""
    if not is_path(source):
        return source
    # A member's name is no path: `d/../a.png` in an archive is another member than `a.png`.
    path, member = split_member(source)
    return absolute_path(path, base) + member


def absolute_path(path: str, base: Path) -> str:
    """Return the path of a file, relative to `base`, with its folder's real path."""
    folder, name = os.path.split(os.path.join(base, path))  # noqa: PTH118
    return os.path.join(_real_folder(folder), name)  # noqa: PTH118


@lru_cache(4096)
def _real_folder(folder: str) -> str:
    """Return a folder's real path, without links and `..`. The cache serves all pictures in it."""
    return os.path.realpath(folder)
