"""Paths and folders on a disk; what lies in a store is left as it is."""

import os
from pathlib import Path

from cctranslate.files.remote import is_remote


def make_folder(path: Path) -> None:
    """Make a folder if it is missing. Stores have no folders, so nothing is made there.

    Raises:
        OSError: It cannot be made.
    """
    if not is_remote(path):
        path.mkdir(parents=True, exist_ok=True)


def real_path(path: Path) -> Path:
    """Return a path on a disk with its links resolved."""
    # `Path.resolve` raises RuntimeError for links that lead to themselves, before Python 3.13.
    return path if is_remote(path) else Path(os.path.realpath(path))
