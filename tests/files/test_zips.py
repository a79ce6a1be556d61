"""Zips of which some members are described wrongly: the others, and mostly these, are read."""

import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from cctranslate.files.zips import open_zip

BAD = "näme.png"
"""As long in UTF-8 as in what replaces it."""


def zipped(path: Path, content: bytes = b"content") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("good.png", BAD, "b/last.png"):
            info = zipfile.ZipInfo(name)
            info.extra = struct.pack("<HH4s", 0xCAFE, 4, b"four")
            archive.writestr(info, content)
    return path


def in_cp437(data: bytes) -> bytes:
    return data.replace(BAD.encode(), b"n\x84\x84me.png")


def only_in_the_directory(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02")
    return data[:at] + in_cp437(data[at:])


def too_new(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02")
    return data[: at + 6] + struct.pack("<H", 99) + data[at + 8 :]


def long_extra(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02")
    return data[:at] + data[at:].replace(b"\xfe\xca\x04\x00four", b"\xfe\xca\x40\x00four", 1)


def bad_unicode_path(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02")
    return data[:at] + data[at:].replace(b"\xfe\xca\x04\x00four", b"\x75\x70\x04\x00\x01our", 1)


def short_zip64(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02")
    entry = data[at : at + 20] + b"\xff" * 8 + data[at + 28 :]
    return data[:at] + entry.replace(b"\xfe\xca\x04\x00four", b"\x01\x00\x04\x00four", 1)


@pytest.mark.parametrize(
    ("spoil", "names"),
    [
        (in_cp437, ["good.png", "nääme.png", "b/last.png"]),
        (too_new, ["good.png", BAD, "b/last.png"]),
        (long_extra, ["good.png", BAD, "b/last.png"]),
        (bad_unicode_path, ["good.png", BAD, "b/last.png"]),
    ],
)
def test_all_members_are_read(
    tmp_path: Path, spoil: Callable[[bytes], bytes], names: list[str]
) -> None:
    path = zipped(tmp_path / "a.zip")
    path.write_bytes(spoil(path.read_bytes()))
    with open_zip(path) as archive:
        assert archive.namelist() == names
        assert [archive.read(name) for name in names] == [b"content"] * 3


@pytest.mark.parametrize("spoil", [only_in_the_directory, short_zip64])
def test_the_other_members_are_read(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = zipped(tmp_path / "a.zip")
    path.write_bytes(spoil(path.read_bytes()))
    with open_zip(path) as archive:
        read = list[bytes]()
        for info in archive.infolist():
            with suppress(Exception):  # any, as for whoever reads members
                read.append(archive.read(info))
        assert read == [b"content"] * 2


def test_a_zip_behind_other_bytes_and_within_another_is_read(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip")
    inner.write_bytes(in_cp437(inner.read_bytes()))
    outer = tmp_path / "outer.zip"
    with zipfile.ZipFile(outer, "w") as archive:  # stored: its headers stand in the outer one
        archive.write(inner, "inner.zip")
    outer.write_bytes(b"#!/bin/sh\n" + outer.read_bytes())
    with open_zip(outer) as archive:
        assert archive.read("inner.zip") == inner.read_bytes()
    inner.write_bytes(b"#!/bin/sh\n" + inner.read_bytes())
    with open_zip(inner) as archive:
        assert archive.read("nääme.png") == b"content"
