"""Streams of files, decompressed in little memory."""

import bz2
import gzip
import io
import lzma
from pathlib import Path
from typing import IO, Any, cast

_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"
"""The first bytes of compressed files."""
_PIECE = 1 << 16
"""Bytes that are read at once."""
_MOST_MEMORY = 1 << 27
"""Bytes that an xz stream may ask for. `xz -9` needs 65 MiB; a header can ask for 4 GiB."""


def is_compressed(head: bytes) -> bool:
    """Return whether a file that begins with `head` is of gzip, bzip2 or xz."""
    return head.startswith((_GZIP, _BZIP2, _XZ))


def buffered(path: Path) -> io.BufferedReader:
    """Open a file, which may be in a store, for reading.

    Raises:
        OSError: It cannot be opened.
    """
    file = path.open("rb")
    # A store's file has no `peek`, which `decompressed` needs.
    return file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast(Any, file))


def decompressed(file: io.BufferedReader) -> io.BufferedReader:
    """Return a stream of a file's content, decompressed if the file is compressed.

    A read of N bytes unpacks about N bytes, so a reader that reads in pieces needs little memory.
    The stream raises OSError, EOFError, zlib.error or lzma.LZMAError where the file is damaged.
    """
    head = file.peek(8)
    if head.startswith(_GZIP):
        return io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=file)))
    if head.startswith(_BZIP2):
        return io.BufferedReader(cast(io.RawIOBase, bz2.BZ2File(file)))
    if head.startswith(_XZ):
        return io.BufferedReader(_Xz(file))
    return file


class _Xz(io.RawIOBase):
    """A reader of xz files with a limit on memory, which `lzma.LZMAFile` does not have."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)

    def readable(self) -> bool:
        """Return True: the stream can be read."""
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
        """Return the first bytes of the next xz stream, without padding; empty at the end."""
        raw = self._decoder.unused_data
        while not raw.strip(b"\0"):
            raw = self._file.read(_PIECE)
            if not raw:
                return b""
        return raw.lstrip(b"\0")
