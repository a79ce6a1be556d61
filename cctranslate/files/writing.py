"""Files that are written whole or not at all, and files that only grow."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cctranslate.errors import OutputError
from cctranslate.files.paths import real_path
from cctranslate.files.remote import is_remote, uploading

_LONGEST_NAME = 255
"""Bytes of the longest name of a file on most file systems."""
FULL = (errno.ENOSPC, errno.EDQUOT)
"""Errors of a disk without room, or of a user who may not take more of it."""


def unwritable(path: Path, error: OSError) -> OutputError:
    """Return the error for a file that the system does not let us write."""
    then = ": make room, then run the same command again" if error.errno in FULL else ""
    return OutputError(f"{path}: cannot be written: {error.strerror or error}{then}")


def temporary_name(path: Path) -> Path:
    """Return the path where a file is written before it is renamed to `path`.

    It is a hidden file in the same folder. Its name does not vary, so that a run replaces what a
    killed one left behind. A name for which that is too long has its digest there.
    """
    name = path.name
    if len(raw := os.fsencode(name)) > _LONGEST_NAME - len("..partial"):
        name = hashlib.blake2b(raw, digest_size=16).hexdigest()
    return path.with_name(f".{name}.partial")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that replaces `path` when the block ends without an error.

    Raises:
        OSError: It cannot be written; what is at `path` stays as it was.
    """
    if is_remote(path):
        with uploading(path) as file:
            yield file
        return
    if path.exists() and not path.is_file():
        with path.open("wb") as file:  # a named pipe or a device, which cannot be replaced
            yield file
        return
    partial = temporary_name(path)
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a file that replaces `path` when the block ends without an error.

    A link stays: the file that it leads to is replaced.

    Raises:
        OutputError: It cannot be written; what is at `path` stays as it was.
    """
    try:
        with replacing(real_path(path)) as file:
            yield file
    except OSError as error:
        raise unwritable(path, error) from None


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all.

    Raises:
        OutputError: It cannot be written; what is at `path` stays as it was.
    """
    with atomic_write(path) as file:
        file.write(text.encode())


class AppendOnlyFile:
    """A file that only grows. Each addition is written whole or not at all."""

    def __init__(self, path: Path, end: int) -> None:
        """Open or make the file, and cut off what follows byte `end`.

        Raises:
            OutputError: It cannot be written.
        """
        self.path, self.end = path, end
        try:
            self._file = path.open("r+b" if path.exists() else "w+b", buffering=0)
            self._file.truncate(end)
            self._file.seek(end)
        except OSError as error:
            raise unwritable(path, error) from None

    def add(self, content: bytes) -> None:
        """Write at the end.

        Raises:
            OutputError: It cannot be written; the file is as it was.
        """
        left = memoryview(content)
        try:
            while left:
                left = left[self._file.write(left) :]
        except BaseException as error:
            self._file.truncate(self.end)
            self._file.seek(self.end)
            if isinstance(error, OSError):
                raise unwritable(self.path, error) from None
            raise
        self.end += len(content)

    def close(self) -> None:
        """Flush the file to the disk and close it.

        Raises:
            OutputError: That fails, or another file was put at the path meanwhile.
        """
        try:
            with self._file:
                os.fsync(self._file.fileno())
                status = os.fstat(self._file.fileno())
            if not os.path.samestat(status, self.path.stat()):
                raise OutputError(f"{self.path}: another file took its place")
        except OSError as error:
            raise unwritable(self.path, error) from None
