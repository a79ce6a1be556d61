"""Read and write small files without file objects, which take longer than the reading."""

import os
from contextlib import suppress
from pathlib import Path

from cctranslate.files.remote import is_remote
from cctranslate.files.writing import temporary_name

SMALL = 1 << 16
"""Most bytes of a file that is read at once."""


def read_at_once(path: Path) -> bytes:
    """Return the content of a small file, on a disk or in a store.

    Raises:
        OSError: It cannot be read.
    """
    if is_remote(path):
        return path.read_bytes()
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        content = os.read(descriptor, SMALL)
        while more := os.read(descriptor, SMALL):
            content += more
    finally:
        os.close(descriptor)
    return content


def create_file(path: Path, content: bytes) -> None:
    """Write a new file on a disk, whole or not at all, as `files.writing.replacing` does.

    Raises:
        OSError: It cannot be written.
    """
    partial = os.fspath(temporary_name(path))
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    descriptor = os.open(partial, flags, 0o666)
    try:
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(descriptor, left) :]
        finally:
            os.close(descriptor)
        os.replace(partial, path)  # noqa: PTH105 (a Path takes three times as long)
    except BaseException:
        with suppress(OSError):
            os.unlink(partial)  # noqa: PTH108
        raise
