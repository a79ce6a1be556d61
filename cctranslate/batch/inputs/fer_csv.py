"""A dataset in FER2013's form, `emotion,pixels[,Usage]`, as a stream of rows."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cctranslate.batch.inputs.items import Broken, FaceRow, Item

LONGEST = 100_000
"""Bytes a line: FER2013's have under 10,000; a file without line ends may be of any size."""


def is_table(head: bytes) -> bool:
    """Whether a file that begins with `head` has a header with pixels in it."""
    return "pixels" in _header(head.partition(b"\n")[0])


def from_table(path: Path) -> Iterator[Item]:
    """The rows in order, numbered from 0 as FER2013's are; a bad one is a broken item."""
    try:
        with path.open("rb") as file:
            header = _header(file.readline(LONGEST))
            for number, line in enumerate(_lines(file)):
                yield _row(path, header, number, line)
    except OSError as error:
        reason = error.strerror or str(error)
        yield Broken(path=path, relative=path.name, named=True, reason=reason)


def _header(line: bytes) -> list[str]:
    """Column names; icml_face_data.csv has spaces before some of them."""
    text = line.decode("utf-8-sig", "replace")
    return [name.strip().strip('"').lower() for name in text.split(",")]


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines that are not blank; of one that is too long only the beginning."""
    while line := file.readline(LONGEST):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST)
        if line.strip():
            yield line


def _row(path: Path, header: list[str], number: int, line: bytes) -> Item:
    relative = f"{path.stem}/{number:07}"
    try:
        cells = next(csv.reader([line.decode("utf-8")], strict=True))
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        return FaceRow(
            path=path,
            relative=relative,
            named=True,
            inner=str(number),
            emotion=row["emotion"] if "emotion" in header else "",
            pixels=row["pixels"],
            part=row.get("usage", ""),
        )
    except UnicodeDecodeError:
        reason = "not UTF-8 text"
    except csv.Error as error:
        reason = str(error)
    except KeyError:
        reason = "too few columns"
    return Broken(path=path, relative=relative, named=True, inner=str(number), reason=reason)
