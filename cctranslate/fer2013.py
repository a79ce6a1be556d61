"""FER2013's CSV: rows, usages and label ids.

`batch` and `fit` both read datasets by this module, so they accept the same files.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np

from cctranslate.emotions import EMOTIONS
from cctranslate.pixels import SIZE, Gray

USAGES = ("Training", "PublicTest", "PrivateTest")
"""The three parts of FER2013."""
FERPLUS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""FER+'s columns of votes for FER2013's labels, in the order of the labels' ids."""
HEAD = 512
"""Bytes at a file's beginning that tell what kind of file it is."""
LONGEST = 100_000
"""Most characters of a record that are read. FER2013's records have under 10,000."""
_PIECE = 1 << 16
"""Bytes that are read at once."""
_USAGE = {usage.lower(): usage for usage in USAGES}
_FOLDERS = (
    dict.fromkeys(("train", "training"), USAGES[0])
    | dict.fromkeys(("val", "valid", "validation", "publictest"), USAGES[1])
    | dict.fromkeys(("test", "testing", "privatetest"), USAGES[2])
)
"""Usages by the names of splits' folders, in lower case."""
PICTURE_OF_ROW = re.compile(r"(Training|PublicTest|PrivateTest)_(\d+)\.\w+$")
"""Matches the names of pictures that hold their row's usage and number, as in copies on Kaggle."""
_LABEL = re.compile(r"([0-9])(\.0*)?")
_DIGITS = re.compile(r"[0-9\s]+", re.ASCII)
_CONTINUED = re.compile(r'[0-9\s]*("|$)', re.ASCII)
"""A further line of a quoted `pixels` cell, up to its closing quote."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CsvRow:
    """The cells of a row as text, without surrounding spaces; None for a missing column."""

    number: int
    """The row's number in the file, from 0. Blank lines do not count."""
    line: int
    """The line that the row begins in, from 1."""
    pixels: str
    emotion: str | None
    usage: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CsvFault:
    """A record that is not a valid row, and the reason."""

    number: int
    line: int
    reason: str


def has_pixels(head: bytes) -> bool:
    """Return whether a file that begins with `head` is a CSV with a column `pixels`."""
    first = re.split(rb"[\r\n]", head[:HEAD], maxsplit=1)[0]
    return b"\0" not in first and "pixels" in _columns(first.decode("utf-8-sig", "replace"))


def read_csv(file: IO[bytes]) -> tuple[list[str], Iterator[CsvRow | CsvFault]]:
    """Read a CSV's header, and return an iterator over its rows.

    Line ends may be those of any system. A quoted cell of pixels may span lines. At most
    `LONGEST` characters of a record are held in memory.

    Returns:
        The column names in lower case, without spaces, and the rows or faults in order.
    """
    lines = _Lines(file)
    columns = _columns(lines.take())
    return columns, _rows(lines, columns)


def parse_label(text: str) -> int:
    """Return the label id in an `emotion` cell. It may be a float, as pandas writes it.

    Raises:
        ValueError: The cell holds no label id.
    """
    match = _LABEL.fullmatch(text)
    if not match or int(match[1]) >= len(EMOTIONS):
        raise ValueError(f"emotion is {_quoted(text)}, expected 0 to {len(EMOTIONS) - 1}")
    return int(match[1])


def parse_usage(text: str) -> str:
    """Return the usage in a `Usage` cell, in any case and spacing.

    Raises:
        ValueError: The cell holds no usage. It is not taken for Training: it may be a test row.
    """
    usage = _USAGE.get(re.sub(r"[\s_-]", "", text).lower())
    if usage is None:
        raise ValueError(f"Usage is {_quoted(text)}, expected one of {', '.join(USAGES)}")
    return usage


def usage_of_picture(folder: str, name: str) -> str:
    """Return the usage of a picture by its name and that of its split's folder."""
    return usage_by_name(name, usage_of_folder(folder) or USAGES[0])


def usage_by_name(name: str, by_folder: str) -> str:
    """Return the usage of a picture by its name, or else that of its folder.

    A `Training_0000007.png` in a folder for validation or tests is held out: users move some there.
    """
    named = PICTURE_OF_ROW.search(name)
    return named[1] if named and named[1] != USAGES[0] else by_folder


def usage_of_folder(name: str) -> str | None:
    """Return the usage of pictures in a split's folder by its name, in any case; None for others.

    It is that of one folder alone, as results are written before all folders are seen.
    """
    return _FOLDERS.get(name.lower())


def parse_pixels(text: str) -> Gray:
    """Return the face [48, 48] uint8 of a `pixels` cell.

    Raises:
        ValueError: The cell does not hold 48x48 numbers from 0 to 255.
    """
    if not _DIGITS.fullmatch(text) or text.isspace():
        raise ValueError("pixels hold something that is no number")
    levels = np.fromstring(text, np.int64, sep=" ")
    if levels.size != SIZE * SIZE:
        raise ValueError(f"{levels.size} pixels, expected {SIZE * SIZE}")
    if levels.min() < 0 or levels.max() > 255:
        raise ValueError("a pixel lies outside 0 to 255")
    return levels.astype(np.uint8).reshape(SIZE, SIZE)


class _Lines:
    """Lines of a file. `next` is a look ahead at the next one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._lines = _decoded_lines(file)
        self.next = next(self._lines, None)
        """The line that `take` returns next; None at the end."""
        self.number = 0
        """The number, from 1, of the line that `take` returned last."""

    def take(self) -> str:
        """Return the next line; an empty string at the end."""
        line, self.next = self.next or "", next(self._lines, None)
        self.number += 1
        return line


def _decoded_lines(file: IO[bytes]) -> Iterator[str]:
    """Yield lines without their line ends, cut to `LONGEST` characters.

    Bytes that are not UTF-8 become surrogates, so that only their row is refused.
    """
    utf8 = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
    decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
    rest = ""
    while raw := file.read(_PIECE):
        *whole, rest = (rest + decoder.decode(raw)).split("\n")
        rest = rest[:LONGEST]
        for line in whole:
            yield line[:LONGEST]
    for line in (rest + decoder.decode(b"", final=True)).split("\n"):
        yield line


def _columns(line: str) -> list[str]:
    """Return column names. icml_face_data.csv has spaces before some of them."""
    return [name.strip().strip('"').strip().lower() for name in line.split(",")]


def _rows(lines: _Lines, columns: list[str]) -> Iterator[CsvRow | CsvFault]:
    number = 0
    while lines.next is not None:
        record, first = lines.take(), lines.number
        if not record.strip():
            continue
        while record.count('"') % 2 and lines.next is not None and _CONTINUED.match(lines.next):
            record = f"{record}\n{lines.take()}"[:LONGEST]
        yield _row(record, columns, number, first)
        number += 1


def _row(record: str, columns: list[str], number: int, line: int) -> CsvRow | CsvFault:
    try:
        record.encode()
        values = next(csv.reader(io.StringIO(record, newline=""), strict=True), [])
        cells = {name: value.strip() for name, value in zip(columns, values, strict=False)}
        return CsvRow(
            number=number,
            line=line,
            pixels=cells["pixels"],
            emotion=cells["emotion"] if "emotion" in columns else None,
            usage=cells["usage"] if "usage" in columns else None,
        )
    except UnicodeEncodeError:
        reason = "not UTF-8 text"
    except csv.Error as error:
        reason = str(error)
    except KeyError:
        reason = "too few columns"
    return CsvFault(number=number, line=line, reason=reason)


def _quoted(text: str) -> str:
    """Return a cell for a message: quoted, on one line, and at most 40 characters."""
    return repr(" ".join(text.split())[:40])
