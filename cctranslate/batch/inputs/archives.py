"""Zip and tar archives as streams of items: read member by member, never extracted to disk.

A member's name never becomes a path, except that of its results, which `member_path` keeps in OUT.
"""

import hashlib
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, cast

from cctranslate.batch.inputs.fer_csv import from_csv
from cctranslate.batch.inputs.file_kinds import is_picture_name
from cctranslate.batch.items import NUMBER, BrokenItem, ContentItem, Item, MemberError
from cctranslate.fer2013 import HEAD, has_pixels
from cctranslate.files.compression import buffered, decompressed
from cctranslate.files.names import is_clutter, member_path
from cctranslate.files.tar_members import open_stream, stream_members
from cctranslate.files.zips import open_zip

LARGEST = 64 << 20
"""Bytes of the largest picture that is read whole: photographs are under 30 MB."""
_LONGEST_NAME = (1 << 16) - 1
"""Characters of a member's name, as in a zip: a tar may have one of any length."""
_UNPACKED = 1 << 12
"""Bytes of a zip's member that are decompressed at once, so that a zip bomb takes little memory."""


def from_zip(path: Path) -> Iterator[Item]:
    """Yield a zip's members in its order; a fault of the zip itself comes as one broken item."""
    encrypted = False
    names = _MemberNames()
    try:
        with open_zip(path) as archive:
            for info in archive.infolist():
                if info.flag_bits & 1:
                    encrypted = True
                elif not info.is_dir() and not is_clutter(member_path(info.filename)):
                    name = names.claim(info.filename)
                    if stat.S_ISLNK(info.external_attr >> 16):
                        yield _link(path, name)
                    elif _is_csv(info.filename) and info.compress_type != zipfile.ZIP_BZIP2:
                        yield from _from_csv_or_file(path, name, partial(archive.open, info))
                    else:
                        yield _member(path, name, partial(_read_zipped, archive, info))
    except Exception as error:
        yield _broken(path, error)
    if encrypted:
        yield _broken(path, "holds encrypted members: decrypt it first")


def from_tar_or_csv(path: Path) -> Iterator[Item]:
    """Yield the members of a tar or the rows of a CSV, compressed or not, as they are read.

    A fault of the file itself comes as one broken item.
    """
    try:
        with buffered(path) as packed, decompressed(packed) as file:
            if has_pixels(file.peek(HEAD)):
                yield from from_csv(path, file)
            else:
                yield from _from_tar(path, file)
    except Exception as error:
        # Each format raises errors of its own.
        yield _broken(path, error)


def _from_tar(path: Path, stream: IO[bytes]) -> Iterator[Item]:
    names = _MemberNames()
    try:
        archive = open_stream(stream)
    except tarfile.ReadError as error:
        reason = f"no tar, and no dataset in FER2013's form: {error}"
        raise tarfile.ReadError(reason) from None
    with archive:
        for info in stream_members(archive):
            if len(info.name) > _LONGEST_NAME:
                yield _broken(path, f"a name of more than {_LONGEST_NAME} characters")
            elif not info.isdir() and not is_clutter(member_path(info.name)):
                name = names.claim(info.name)
                if not info.isfile():
                    yield _link(path, name)
                elif _is_csv(info.name):
                    yield from _from_csv_or_file(path, name, partial(_extracted, archive, info))
                else:
                    yield _member(path, name, partial(_read_tarred, archive, info))


def _from_csv_or_file(path: Path, name: str, opened: Callable[[], IO[bytes]]) -> Iterator[Item]:
    """Yield the rows of a member that is a CSV in FER2013's form, else the member itself."""
    try:
        file = io.BufferedReader(cast(io.RawIOBase, opened()))
        with file:
            if has_pixels(file.peek(HEAD)):
                yield from from_csv(path, file, name)
            else:
                yield _member(path, name, partial(_read_other, file))
    except tarfile.TarError:
        raise
    except Exception as error:
        relative = member_path(name)
        reason = str(_damaged(error))
        yield BrokenItem(path=path, relative=relative, named=False, inner=name, reason=reason)


class _MemberNames:
    """Makes the names of members unique: an archive may hold several of one name."""

    def __init__(self) -> None:
        self._taken: set[bytes] = set()

    def claim(self, name: str) -> str:
        """Return the name, or `name#2`, `name#3` and so on if it is taken."""
        free, number = name, 1
        while (key := hashlib.blake2b(os.fsencode(free), digest_size=16).digest()) in self._taken:
            number += 1
            free = f"{name}#{number}"
        self._taken.add(key)
        return free


def _read_zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    _check_size(info.file_size)
    if info.compress_type == zipfile.ZIP_BZIP2:
        # A few bytes may expand to a gigabyte, which zipfile decompresses at once.
        raise MemberError("packed by bzip2 in its archive: pack it without")
    try:
        with archive.open(info) as file:
            # A single read would decompress all of it, whatever size its header claims.
            return b"".join(iter(partial(file.read, _UNPACKED), b""))
    except Exception as error:
        raise _damaged(error) from None


def _read_tarred(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    _check_size(info.size)
    try:
        return _extracted(archive, info).read()
    except Exception as error:
        raise _damaged(error) from None


def _read_other(file: IO[bytes]) -> bytes:
    """Read a member that turned out to be no dataset."""
    content = file.read(LARGEST + 1)
    _check_size(len(content))
    return content


def _extracted(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(info)
    assert file is not None  # a regular file, as its caller has seen
    return file


def _damaged(error: Exception) -> MemberError:
    """Return the error for a damaged member; each format raises errors of its own."""
    if isinstance(error, NotImplementedError):
        return MemberError(f"packed in a way that cannot be read ({error}): pack it anew")
    return MemberError(f"damaged in its archive: {str(error) or type(error).__name__}")


def _check_size(size: int) -> None:
    if size > LARGEST:
        raise MemberError(f"more than {LARGEST >> 20} MiB in its archive: take it out of there")


def _member(path: Path, name: str, read: Callable[[], bytes]) -> ContentItem:
    relative = member_path(NUMBER.sub("", name))
    return ContentItem(path=path, relative=relative, named=False, inner=name, read=read)


def _link(path: Path, name: str) -> BrokenItem:
    relative = member_path(NUMBER.sub("", name))
    return BrokenItem(
        path=path,
        relative=relative,
        named=False,
        inner=name,
        reason="a link or a device: archives are read for their own files only",
        skipped=not is_picture_name(PurePosixPath(relative)),
    )


def _is_csv(name: str) -> bool:
    return name.lower().endswith(".csv")


def _broken(path: Path, reason: object) -> BrokenItem:
    reason_text = f"the archive cannot be read: {reason or type(reason).__name__}"
    return BrokenItem(
        path=path, relative=path.name, named=True, reason=" ".join(reason_text.split())
    )
