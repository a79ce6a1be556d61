"""Zip and tar archives as streams of members: read one by one, never extracted to disk.

A member's name is only ever a name: no path is made of it but the result's, which `relative`
keeps inside OUT.
"""

import gzip
import tarfile
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from cctranslate.batch.inputs.items import Broken, Item, Member, MemberError

LARGEST = 64 << 20
"""Bytes of the largest member that is read: photographs are under 30 MB."""
_LONGEST_NAME = (1 << 16) - 1
"""Characters of a member's name, as in a zip: a tar may have one of any length."""
_PIECE = 1 << 16
_UNPACKED = 1 << 12
"""Bytes of a zip that are unpacked at once, to a few thousand times as many at most."""


def is_zip(head: bytes, path: Path) -> bool:
    """Whether a file that begins with `head` is a zip."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06")) or path.suffix.lower() == ".zip"


def is_tar(head: bytes, path: Path) -> bool:
    """Whether a file that begins with `head`, of 512 bytes, is a tar, gzipped or not."""
    packed = head.startswith(b"\x1f\x8b")
    return packed or head[257:262] == b"ustar" or path.suffix.lower() == ".tar"


def from_zip(path: Path) -> Iterator[Item]:
    """A zip's members in its own order; what is wrong with it all is one broken item."""
    encrypted = False
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.flag_bits & 1:
                    encrypted = True
                elif not info.is_dir() and not _is_clutter(info.filename):
                    read = partial(_read_zipped, archive, info)
                    yield _member(path, info.filename, read)
    except Exception as error:
        yield _broken(path, error)
    if encrypted:
        yield _broken(path, "holds encrypted members: decrypt it first")


def from_tar(path: Path) -> Iterator[Item]:
    """A tar's members as they come; what is wrong with it all is one broken item."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            stream = gzip.GzipFile(fileobj=file) if packed else file
            forward = _Forward(stream)
            with tarfile.open(fileobj=forward, mode="r:") as archive:  # type: ignore[call-overload]
                while (info := archive.next()) is not None:
                    archive.members = []  # it would remember each one for good
                    if len(info.name) > _LONGEST_NAME:
                        yield _broken(path, f"a name of more than {_LONGEST_NAME} characters")
                    elif not info.isdir() and not _is_clutter(info.name):
                        yield _member(path, info.name, partial(_read_tarred, archive, info))
            # To tarfile a header that it cannot read is an end like any other.
            if forward.latest.strip(b"\0"):
                yield _broken(path, "damaged: what follows its last member is no header")
    except Exception as error:
        yield _broken(path, error)


def relative(name: str) -> str:
    """A member's name as a path below a folder, on any system: no root, drive, `.` or `..`."""
    parts = name.replace("\\", "/").replace(":", "_").split("/")
    return "/".join(part for part in parts if part not in ("", ".", "..")) or "member"


class _Forward:
    """A stream that tarfile reads forward only, in pieces of a bounded size.

    tarfile steps back by one byte before each header, which would make gzip begin again, and
    reads an extended header whole, however long it says that it is.
    """

    def __init__(self, stream: gzip.GzipFile | BinaryIO) -> None:
        self._stream, self._position = stream, 0
        self._last = b""
        self._back = False
        self.latest = b""
        """What was read last."""

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
        if not 0 <= size <= LARGEST:
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


def _read_zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    _check_size(info.file_size)
    if info.compress_type == zipfile.ZIP_BZIP2:
        # A few bytes of it may be anything up to a gigabyte, which zipfile unpacks at once.
        raise MemberError("packed by bzip2 in its archive: pack it without")
    try:
        with archive.open(info) as file:
            # At once it would unpack all that the member has, whatever size its header says.
            return b"".join(iter(partial(file.read, _UNPACKED), b""))
    except Exception as error:
        raise _damaged(error) from None


def _read_tarred(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    if not info.isfile():
        raise MemberError("a link or a device: archives are read for their own files only")
    _check_size(info.size)
    file = archive.extractfile(info)
    assert file is not None  # a regular file, as seen above
    try:
        return file.read()
    except Exception as error:
        raise _damaged(error) from None


def _damaged(error: Exception) -> MemberError:
    """Each way of packing has errors of its own."""
    return MemberError(f"damaged in its archive: {str(error) or type(error).__name__}")


def _check_size(size: int) -> None:
    if size > LARGEST:
        raise MemberError(f"more than {LARGEST >> 20} MiB in its archive: take it out of there")


def _member(path: Path, name: str, read: partial[bytes]) -> Member:
    return Member(path=path, relative=relative(name), named=False, inner=name, read=read)


def _broken(path: Path, reason: object) -> Broken:
    said = f"the archive cannot be read: {reason or type(reason).__name__}"
    return Broken(path=path, relative=path.name, named=True, reason=" ".join(said.split()))


def _is_clutter(name: str) -> bool:
    """Hidden, as in a folder, or what file managers put beside: __MACOSX/._x.png."""
    parts = relative(name).split("/")
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)
