"""Find the mark of a result in a picture's metadata, without reading its pixels."""

from pathlib import Path
from typing import IO

_TOOL = b"<xmp:CreatorTool>cctranslate "
_LONGEST = 1 << 16
"""Bytes of metadata that are searched: our XMP data take about 900."""


def is_marked(path: Path) -> bool:
    """Return whether a file is a picture that says that this tool altered it.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(12)
        if head.startswith(b"\x89PNG"):
            return _in_png(file)
        if head.startswith(b"\xff\xd8"):
            return _in_jpeg(file)
        return head[8:] == b"WEBP" and _in_webp(file)


def _in_png(file: IO[bytes]) -> bool:
    file.seek(8)
    while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
        size = int.from_bytes(head[:4])
        end = file.tell() + size + 4
        if head[4:] == b"iTXt" and _TOOL in file.read(min(size, _LONGEST)):
            return True
        file.seek(end)
    return False


def _in_jpeg(file: IO[bytes]) -> bool:
    file.seek(2)
    while len(head := file.read(4)) == 4 and head[0] == 0xFF and head[1] != 0xDA:
        size = int.from_bytes(head[2:]) - 2
        if head[1] == 0xE1:
            if _TOOL in file.read(max(size, 0)):
                return True
        else:
            file.seek(max(size, 0), 1)
    return False


def _in_webp(file: IO[bytes]) -> bool:
    while len(head := file.read(8)) == 8:
        size = int.from_bytes(head[4:], "little")
        if head[:4] == b"XMP ":
            return _TOOL in file.read(min(size, _LONGEST))
        file.seek(size + size % 2, 1)
    return False
