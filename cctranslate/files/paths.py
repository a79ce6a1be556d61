"""Files and folders on a disk: real paths, stamps that tell whether a file has changed."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cctranslate.files.remote import is_remote

_LATEST = (1 << 63) - 1
"""The latest time, in nanoseconds, that fits into 64 bits: in the year 2262."""


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


def can_exist(path: Path) -> bool:
    """Return whether a file can have a path: none has a NUL in it, or characters without bytes."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def named_folder(folder: Path) -> Path:
    """Return a path to a folder that spells its name and its parent's, as `.` does not."""
    parts = folder.parts
    if (len(parts) > 1 and ".." not in parts) or is_remote(folder):
        return folder
    return Path(os.path.abspath(folder))  # noqa: PTH100


@dataclass(frozen=True, kw_only=True)
class FileStamp:
    """A file's size, and its times in nanoseconds. Another stamp means that the file changed."""

    size: int
    mtime_ns: int
    ctime_ns: int | None = None
    """When content or metadata last changed. Users cannot set it. None in a store."""


def stamp_of(path: Path) -> FileStamp | None:
    """Return the stamp of an ordinary file, None for anything else."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return stamp_from(status)


def stamp_from(status: os.stat_result) -> FileStamp | None:
    """Return the stamp of an ordinary file with this status, None for anything else."""
    if not stat.S_ISREG(status.st_mode):
        return None
    # The report's columns have 64 bits; file systems have later times.
    time = max(-_LATEST, min(status.st_mtime_ns, _LATEST))
    return FileStamp(size=status.st_size, mtime_ns=time, ctime_ns=status.st_ctime_ns)
