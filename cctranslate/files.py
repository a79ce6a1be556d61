"""Files that are written whole or not at all, and files that only grow."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cctranslate.errors import OutputError


def unwritable(path: Path, error: OSError) -> OutputError:
    """Return the error for a file that the system does not let us write."""
    return OutputError(f"{path}: cannot be written: {error.strerror or error}")


def temporary_name(path: Path) -> Path:
    """Return where a file is written before it takes its name: hidden, and in the same folder.

    It is the same every time, so that the next run replaces what a killed one left.
    """
    return path.with_name(f".{path.name}.partial")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` when the block ends without an error.

    Raises:
        OSError: it cannot be written; what is at `path` stays as it was.
    """
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
    """Open a file that takes the place of `path` when the block ends without an error.

    Raises:
        OutputError: it cannot be written; what is at `path` stays as it was.
    """
    try:
        with replacing(path) as file:
            yield file
    except OSError as error:
        raise unwritable(path, error) from None


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all.

    Raises:
        OutputError: it cannot be written; what is at `path` stays as it was.
    """
    with atomic_write(path) as file:
        file.write(text.encode())


class AppendOnlyFile:
    """A file to which each addition is made whole or not at all."""

    def __init__(self, path: Path, end: int) -> None:
        """Open the file, or make it, and drop what stands in it after `end`.

        Raises:
            OutputError: it cannot be written.
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
            OutputError: it cannot be written; the file is as it was.
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
        """Make sure that the file is on disk, and still the one at its path.

        Raises:
            OutputError: it is not.
        """
        try:
            with self._file:
                os.fsync(self._file.fileno())
                status = os.fstat(self._file.fileno())
            if not os.path.samestat(status, self.path.stat()):
                raise OutputError(f"{self.path}: another file took its place")
        except OSError as error:
            raise unwritable(self.path, error) from None
