"""Tell files that a run wrote from the user's files: only the former are ever replaced."""

import csv
import io
import json
import re
import stat
import tarfile
from pathlib import Path
from typing import IO

from cctranslate.batch.report.schema import NAMES
from cctranslate.emotions import EMOTIONS
from cctranslate.files.small_files import SMALL, read_at_once

_HEAD = 1 << 16
"""Bytes of a report's first line that are read."""
_SAMPLE = re.compile(rf"(?:{'|'.join(EMOTIONS)})/[^/]+\.cls")

_TOOL = b"<xmp:CreatorTool>cctranslate "
_LONGEST = 1 << 16
"""Bytes of metadata that are searched: our XMP data take about 900."""


def is_ours(path: Path) -> bool:
    """Return whether `batch` wrote a file.

    A picture carries our XMP mark, a tar begins with one of our samples, and a report has our
    columns. An empty file counts as ours, as nothing is lost with it.
    """
    try:
        if not path.is_file():
            return False
        if path.stat().st_size == 0:
            return True
        if path.suffix == ".tar":
            return _is_our_tar(path)
        if path.suffix in (".csv", ".jsonl", ".parquet"):
            return _is_our_report(path)
        return is_marked(path)
    except (OSError, ValueError, tarfile.TarError):
        return False


def _is_our_tar(path: Path) -> bool:
    with tarfile.open(path, "r:") as archive:
        first = archive.next()
    return first is not None and bool(_SAMPLE.fullmatch(first.name))


def _is_our_report(path: Path) -> bool:
    if path.suffix == ".parquet":
        from pyarrow import parquet

        with path.open("rb") as file:
            return tuple(parquet.read_schema(file).names) == NAMES
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        first = file.readline(_HEAD)
    if path.suffix == ".csv":
        return tuple(next(csv.reader([first]), ())) == NAMES
    return tuple(json.loads(first)) == NAMES


def is_marked(path: Path) -> bool:
    """Return whether a file is a picture with this tool's XMP mark.

    Raises:
        OSError: It cannot be read.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        return False
    if status.st_size <= SMALL:
        return is_marked_content(read_at_once(path))
    with path.open("rb") as file:
        return _is_marked(file)


def is_marked_content(content: bytes) -> bool:
    """Return whether a file's content is a picture with this tool's XMP mark."""
    return _is_marked(io.BytesIO(content))


def _is_marked(file: IO[bytes]) -> bool:
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
