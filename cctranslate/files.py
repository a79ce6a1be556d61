"""Files written whole or not at all, files that only grow, and decompressed streams of files."""

import bz2
import errno
import gzip
import io
import lzma
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from cctranslate.errors import OutputError
from cctranslate.remote import is_remote, uploading

_FULL = (errno.ENOSPC, errno.EDQUOT)
_PIECE = 1 << 16
_MOST_MEMORY = 1 << 27
"""Bytes that an xz stream may ask for. `xz -9` needs 65 MiB; a header can ask for 4 GiB."""


def unwritable(path: Path, error: OSError) -> OutputError:
    """Return the error for a file that the system does not let us write."""
    then = ": make room, then run the same command again" if error.errno in _FULL else ""
    return OutputError(f"{path}: cannot be written: {error.strerror or error}{then}")


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
    if is_remote(path):
        with uploading(path) as file:
            yield file
        return
    if path.exists() and not path.is_file():
        with path.open("wb") as file:  # a named pipe or a device: nothing takes its place
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


def is_compressed(head: bytes) -> bool:
    """Return whether a file that begins with `head` is one of the three."""
    return head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"))


def make_folder(path: Path) -> None:
    """Make a folder, if it is not there; a store has none.

    Raises:
        OSError: It cannot be made.
    """
    if not is_remote(path):
        path.mkdir(parents=True, exist_ok=True)


def real_path(path: Path) -> Path:
    """Return a path on a disk without links; links that lead to themselves stay in it."""
    # `Path.resolve` raises RuntimeError for those, before Python 3.13.
    return path if is_remote(path) else Path(os.path.realpath(path))


def buffered(path: Path) -> io.BufferedReader:
    """Open a file, which may be in a store, for reading.

    Raises:
        OSError: it cannot be opened.
    """
    file = path.open("rb")
    # Files of stores cannot be looked ahead in.
    return file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast(Any, file))


def decompressed(file: io.BufferedReader) -> io.BufferedReader:
    """Return what a file holds as a stream, decompressed if it is compressed.

    A read of N bytes unpacks about N bytes, so a reader that reads in pieces needs little memory.
    The stream raises OSError, EOFError, zlib.error or lzma.LZMAError where the file is damaged.
    """
    head = file.peek(8)
    if head.startswith(b"\x1f\x8b"):
        return io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=file)))
    if head.startswith(b"BZh"):
        return io.BufferedReader(cast(io.RawIOBase, bz2.BZ2File(file)))
    if head.startswith(b"\xfd7zXZ\0"):
        return io.BufferedReader(_Xz(file))
    return file


class _Xz(io.RawIOBase):
    """An xz file. `lzma.LZMAFile` has no limit of memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)

    def readable(self) -> bool:
        """Return that it is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read up to the buffer's length; 0 at the end."""
        target = memoryview(buffer).cast("B")
        while True:
            raw = b""
            if self._decoder.eof:
                raw = self._next_stream()
                if not raw:
                    return 0
                self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)
            elif self._decoder.needs_input:
                raw = self._file.read(_PIECE)
                if not raw:
                    raise EOFError("the xz stream is cut off")
            data = self._decoder.decompress(raw, len(target))
            if data:
                target[: len(data)] = data
                return len(data)

    def _next_stream(self) -> bytes:
        """Return the beginning of a further stream, past the padding; empty at the end."""
        raw = self._decoder.unused_data
        while not raw.strip(b"\0"):
            raw = self._file.read(_PIECE)
            if not raw:
                return b""
        return raw.lstrip(b"\0")


@dataclass(frozen=True, kw_only=True)
class FileStamp:
    """What tells that a file has changed: its size, and its times in nanoseconds."""

    size: int
    mtime_ns: int
    ctime_ns: int | None = None
    """When its content or its metadata were changed, which nobody can set; None in a store."""


def stamp_of(path: Path) -> FileStamp | None:
    """Return the stamp of an ordinary file; None of anything else."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return stamp_from(status)


def stamp_from(status: os.stat_result) -> FileStamp | None:
    """Return the stamp of an ordinary file of this status; None of anything else."""
    if not stat.S_ISREG(status.st_mode):
        return None
    return FileStamp(size=status.st_size, mtime_ns=status.st_mtime_ns, ctime_ns=status.st_ctime_ns)
