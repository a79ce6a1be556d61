"""Read the members of tars: of those that a run wrote, and of any tar as a stream."""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

_PIECE = 1 << 16
"""Bytes that are read at once."""
_LONGEST_HEADER = 64 << 20
"""Bytes of the longest extended header that is read."""
_MOST_ZEROS = 1 << 11
"""Blocks of zeros that may end a tar: they fill its last record, which is of up to 1 MiB."""
_NOTES = (b"D", b"V")
"""Types of GNU tar's entries that are no files: the names in a folder, and the tar's label."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TarMember:
    """A whole member of a tar, with its positions in the file."""

    name: str
    start: int
    """The position of its header."""
    content: int
    """The position of its content."""
    size: int
    end: int
    """The position after its padding."""


def tar_members(path: Path) -> Iterator[TarMember]:
    """Yield the members of a tar, up to the first missing or damaged one."""
    try:
        length = path.stat().st_size
        with tarfile.open(path, "r:", encoding="utf-8") as archive:
            while info := archive.next():
                # tarfile keeps every member that it has read.
                archive.members = []  # type: ignore[attr-defined]
                end = info.offset_data + info.size + -info.size % tarfile.BLOCKSIZE
                if end > length:
                    return
                yield TarMember(
                    name=info.name,
                    start=info.offset,
                    content=info.offset_data,
                    size=info.size,
                    end=end,
                )
    except (OSError, tarfile.TarError):
        return


def open_stream(stream: IO[bytes]) -> tarfile.TarFile:
    """Open a tar for `stream_members`. The stream is only read forward.

    Raises:
        tarfile.ReadError: It does not begin as tars do.
    """
    # Typed for files that can be written, too.
    return tarfile.open(fileobj=_Forward(stream), mode="r:")  # type: ignore[call-overload,no-any-return]


def stream_members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the members of a tar, and of further tars behind it, as `cat a.tar b.tar` joins them.

    Raises:
        tarfile.ReadError: It is damaged: a header or a member is not whole.
    """
    forward, zeros = cast(_Forward, archive.fileobj), 0
    while True:
        info = archive.next()
        archive.members = []  # type: ignore[attr-defined]  # tarfile keeps all of them
        if info is not None:
            zeros = 0
            if info.type not in _NOTES:
                yield info
        elif forward.latest == bytes(tarfile.BLOCKSIZE) and zeros < _MOST_ZEROS:
            # tarfile ends at a block of zeros.
            zeros += 1
            archive.offset += tarfile.BLOCKSIZE
        else:
            break
    # tarfile takes an unreadable header for the end. What follows zeros is no part of the tar.
    if forward.latest.strip(b"\0") and not zeros:
        raise tarfile.ReadError("damaged: what follows its last member is no header")


class _Forward:
    """A stream for tarfile that is only read forward, in pieces of bounded size.

    tarfile seeks back by one byte before each header, which would restart gzip. It also reads an
    extended header whole, whatever length that claims.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._position = stream, 0
        self._last = b""
        self._back = False
        self.latest = b""
        """The bytes that the last `read` returned."""

    def tell(self) -> int:
        return self._position - self._back

    def seek(self, position: int) -> int:
        if position == self._position - 1 and self._last:
            self._back = True
            return position
        self._back = False
        if position < self._position:
            raise tarfile.ReadError("a member that lies before the last one")
        while self._position < position:
            if not self._take(min(_PIECE, position - self._position)):
                break
        return self._position

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _LONGEST_HEADER:
            raise tarfile.ReadError("a header of more than 64 MiB")
        back = self._back and size > 0
        self._back = self._back and not back
        self.latest = self._last + self._take(size - 1) if back else self._take(size)
        return self.latest

    def _take(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._position += len(data)
        self._last = data[-1:] or self._last
        return data
