"""Open zips in which some members are described wrongly, so that the others can be read.

`zipfile` refuses a whole archive for one name that is flagged as UTF-8 and is not, for one extra
field of a wrong length, or for one member that asks for a newer version of the format.
"""

import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

_MEMBER, _LOCAL = b"PK\x01\x02", b"PK\x03\x04"
_END = b"PK\x05\x06"
_MEMBER_SIZE, _LOCAL_SIZE, _END_SIZE = 46, 30, 22
_UTF8 = 0x800
"""The flag of a name in UTF-8; other names are in code page 437."""
_NEWEST = 63
"""The newest version of the format that `zipfile` accepts."""
_ZIP64, _UNICODE_PATH, _UNUSED = 0x0001, 0x7075, 0xFFFF
"""Identifiers of extra fields."""


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip, which may be in a store, for reading.

    A member with a name that is not what its flag says has the name in code page 437.

    Raises:
        OSError, zipfile.BadZipFile: It cannot be read at all.
    """
    with path.open("rb") as file, zipfile.ZipFile(cast(IO[bytes], _Corrected(file))) as archive:
        if _is_split(file, len(archive.comment)):
            raise zipfile.BadZipFile("the last part of a split zip: join its parts by `zip -s 0`")
        yield archive


def _is_split(file: Any, comment: int) -> bool:
    """Return whether a zip's end, which its comment follows, counts several parts."""
    file.seek(-(_END_SIZE + comment), 2)
    end: bytes = file.read(_END_SIZE)
    return end.startswith(_END) and end[4:6] not in (b"\0\0", b"\xff\xff")  # 0xFFFF: in zip64


class _Corrected:
    """A zip's file, with what `zipfile` would refuse corrected as it is read."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._file.read(size)
        if data.startswith(_MEMBER):
            return _corrected_directory(data)
        if data.startswith(_LOCAL) and size == _LOCAL_SIZE:
            flags, length = struct.unpack_from("<6xH18xH", data)
            if flags & _UTF8:
                name = self._file.read(length)
                self._file.seek(-len(name), 1)
                if not _is_utf8(name):
                    return data[:6] + struct.pack("<H", flags & ~_UTF8) + data[8:]
        return data


def _corrected_directory(data: bytes) -> bytes:
    """Return a zip's central directory with descriptions that `zipfile` accepts."""
    corrected, at = bytearray(data), 0
    while data[at : at + 4] == _MEMBER and at + _MEMBER_SIZE <= len(data):
        version, flags, sizes, lengths = _fields(data, at)
        name_at = at + _MEMBER_SIZE
        extra_at = name_at + lengths[0]
        if flags & _UTF8 and not _is_utf8(data[name_at:extra_at]):
            struct.pack_into("<H", corrected, at + 8, flags & ~_UTF8)
        if version > _NEWEST:  # a packing that cannot be read is refused when it is
            struct.pack_into("<H", corrected, at + 6, _NEWEST)
        if lengths[1] >= 4 and not _is_sound(data[extra_at : extra_at + lengths[1]], sizes):
            struct.pack_into("<HH", corrected, extra_at, _UNUSED, lengths[1] - 4)
        at = extra_at + lengths[1] + lengths[2]
    return bytes(corrected)


def _fields(data: bytes, at: int) -> tuple[int, int, tuple[int, ...], tuple[int, ...]]:
    """Return a member's version, flags, sizes with its offset, and lengths of what follows."""
    fields = struct.unpack_from("<6xHH10xIIHHH8xI", data, at)
    version, flags, packed, unpacked, *lengths, offset = fields
    return version, flags, (unpacked, packed, offset), tuple(lengths)


def _is_sound(extra: bytes, sizes: tuple[int, ...]) -> bool:
    """Return whether `zipfile` accepts a member's extra fields."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        field = extra[4 : 4 + length]
        if len(field) < length:
            return False
        if kind == _ZIP64 and length < 8 * sum(size == 0xFFFF_FFFF for size in sizes):
            return False
        if kind == _UNICODE_PATH and not (length >= 5 and _is_utf8(field[5:])):
            return False
        extra = extra[4 + length :]
    return True


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
