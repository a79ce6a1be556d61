"""The table of the report's columns, which CSV, JSON Lines and Parquet share.

A new column is a field of `Row`, an entry here, and a value in `stages/report_rows.py`. A call
refuses to resume a report with other columns.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Any, Literal, get_args

from cctranslate.batch.report.row import Box, Disposition, Row, Status
from cctranslate.emotions import EMOTIONS
from cctranslate.inference.variants import spell_strength


@dataclass(frozen=True, kw_only=True)
class CellType:
    """How the values of a column are written and read; `from_text` raises ValueError."""

    arrow: Literal["string", "int32", "int64", "double", "bool"]
    to_text: Callable[[Any], str] = str
    from_text: Callable[[str], Any] = str
    to_json: Callable[[Any], Any] = lambda value: value


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the report."""

    name: str
    type: CellType


_REAL = re.compile(r"\d{1,9}(?:\.\d+)?(?:e-\d+)?|nan", re.ASCII)


def _integer(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) < 1 << 63):
        raise ValueError(f"{text!r} is no count")
    return int(text)


def _small_integer(text: str) -> int:
    if len(text) > 9:
        raise ValueError(f"{text!r} is too large")
    return _integer(text)


def _real(text: str) -> float:
    if not _REAL.fullmatch(text):
        raise ValueError(f"{text!r} is no amount")
    return float(text)


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _box(text: str) -> Box:
    left, top, width, height = map(_small_integer, text.split(" "))
    return left, top, width, height


def _box_text(box: Box) -> str:
    return " ".join(map(str, box))


def _value(word: Enum) -> Any:
    return word.value


def _finite(number: float) -> float | None:
    """Return the number as JSON can hold it."""
    return number if math.isfinite(number) else None


def _one_of(words: Iterable[str]) -> Callable[[str], str]:
    allowed = {word: word for word in words}
    return allowed.__getitem__


_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")


def _name_text(name: str) -> str:
    r"""Return a name as UTF-8 can hold it: other bytes as `\xe9`, such text itself as `\x5cxe9`.

    A first character that makes a spreadsheet take it for a formula becomes `\x3d` and so on.
    """
    if name.isascii() and "\\x" not in name and not name.startswith(_FORMULA):
        return name
    escaped = readable(_ESCAPE.sub(r"\\x5cx\1", name))
    return f"\\x{ord(name[0]):02x}{escaped[1:]}" if name.startswith(_FORMULA) else escaped


def _byte(match: re.Match[str]) -> str:
    return bytes.fromhex(match[1]).decode("utf-8", "surrogateescape")


def name_from_text(text: str) -> str:
    """Return the name that `_name_text` wrote."""
    if "\\x" not in text:
        return text
    return _ESCAPE.sub(_byte, text)


TEXT = CellType(arrow="string")
NAME = CellType(arrow="string", to_text=_name_text, from_text=name_from_text)
EMOTION = CellType(arrow="string", from_text=_one_of(EMOTIONS))
STATUS = CellType(arrow="string", from_text=_one_of(get_args(Status)))
DISPOSITION = CellType(arrow="string", to_text=_value, from_text=Disposition, to_json=_value)
DIGEST = CellType(arrow="string", from_text=lambda text: bytes.fromhex(text).hex())
INTEGER = CellType(arrow="int32", from_text=_small_integer)
LARGE_INTEGER = CellType(arrow="int64", from_text=_integer)
TIME = CellType(  # negative before 1970
    arrow="int64", from_text=lambda t: -_integer(t[1:]) if t[0] == "-" else _integer(t)
)
REAL = CellType(arrow="double", from_text=_real, to_json=_finite)
STRENGTH = CellType(arrow="double", to_text=spell_strength, from_text=_real)
BOOLEAN = CellType(arrow="bool", to_text=lambda v: "true" if v else "false", from_text=_boolean)
BOX = CellType(arrow="string", to_text=_box_text, from_text=_box, to_json=_box_text)

PROBABILITY_COLUMNS = tuple(f"p_{emotion}" for emotion in EMOTIONS)
"""The columns that hold a row's `probabilities`."""
_LEADING: dict[str, CellType] = {
    "source": NAME,
    "faces": INTEGER,
    "face": INTEGER,
    "box": BOX,
    "score": REAL,
    "target": EMOTION,
    "output": NAME,
    "status": STATUS,
    "reason": NAME,
    "predicted": EMOTION,
    "confidence": REAL,
    "confirmed": BOOLEAN,
}
_TRAILING: dict[str, CellType] = {
    "source_label": EMOTION,
    "source_predicted": EMOTION,
    "strength": STRENGTH,
    "sample": INTEGER,
    "width": INTEGER,
    "height": INTEGER,
    "mode": TEXT,
    "source_sha256": DIGEST,
    "ms": REAL,
    "result_name": NAME,
    "disposition": DISPOSITION,
    "source_size": LARGE_INTEGER,
    "source_mtime_ns": TIME,
    "output_size": LARGE_INTEGER,
    "output_sha256": DIGEST,
    "results_per_face": INTEGER,
}
COLUMNS = tuple(
    Column(name=name, type=cell)
    for name, cell in (_LEADING | dict.fromkeys(PROBABILITY_COLUMNS, REAL) | _TRAILING).items()
)
NAMES = tuple(column.name for column in COLUMNS)
_TO_TEXT = tuple(column.type.to_text for column in COLUMNS)
_FROM_TEXT = tuple(column.type.from_text for column in COLUMNS)
_QUOTED = re.compile(r'["\r\n]')
"""Characters, besides the comma, for which a cell is quoted."""
_leading, _trailing = attrgetter(*_LEADING), attrgetter(*_TRAILING)
_UNKNOWN = (None,) * len(PROBABILITY_COLUMNS)
_OF_A_FACE = {"faces", "face", "box", "target", "strength", "sample", "width", "height"}
_OF_A_FACE |= {"results_per_face"}
_OF_A_RESULT = {"confidence", "ms", "predicted", "source_predicted", "confirmed"}
_OF_A_RESULT |= {"probabilities", "disposition"}
_CHECKED = sorted(_OF_A_FACE | _OF_A_RESULT)
_PRESENT: dict[str, list[set[str]]] = {
    "done": [_OF_A_FACE | _OF_A_RESULT],
    "skipped": [_OF_A_FACE, set()],
    "failed": [set()],
}
"""The sets of these fields that a row of each status may have; all others must be empty."""


def _values(row: Row) -> tuple[Any, ...]:
    """Return a row's values in the order of the columns."""
    return (*_leading(row), *(row.probabilities or _UNKNOWN), *_trailing(row))


def to_cells(row: Row) -> list[str]:
    """Return a row as the cells of a CSV line."""
    return [
        "" if value is None else to_text(value)
        for to_text, value in zip(_TO_TEXT, _values(row), strict=True)
    ]


def to_record(row: Row) -> dict[str, Any]:
    """Return a row as JSON values, null for what is unknown or not finite."""
    return {
        column.name: None if value is None else column.type.to_json(value)
        for column, value in zip(COLUMNS, _values(row), strict=True)
    }


def from_cells(cells: list[str]) -> Row:
    """Return the row that `to_cells` wrote.

    Raises:
        ValueError: a cell is invalid, missing or unexpected.
    """
    try:
        values: list[Any] = [
            from_text(cell) if cell else None
            for from_text, cell in zip(_FROM_TEXT, cells, strict=True)
        ]
    except KeyError as error:
        raise ValueError(f"{error} is not expected here") from None
    before, after = len(_LEADING), len(_LEADING) + len(PROBABILITY_COLUMNS)
    probabilities = tuple(values[before:after])
    row = Row(
        **dict(zip(_LEADING, values[:before], strict=True)),
        probabilities=None if probabilities == _UNKNOWN else probabilities,
        **dict(zip(_TRAILING, values[after:], strict=True)),
    )
    present = {name for name in _CHECKED if getattr(row, name) is not None}
    in_part = row.probabilities is not None and None in probabilities
    if not row.source or in_part or present not in _PRESENT.get(row.status, ()):
        raise ValueError("cells are missing, or there are too many")
    return row


def line(cells: Iterable[str]) -> str:
    """Return a line of CSV. The csv module would leave some line ends in cells unquoted."""
    row = list(cells)
    plain = ",".join(row)
    if plain.count(",") == len(row) - 1 > 0 and not _QUOTED.search(plain):
        return plain + "\n"
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(row)
    return text.getvalue().removesuffix("\r\n") + "\n"


def readable(text: str) -> str:
    """Return a name that can be printed: bytes that are not UTF-8 become `\\xe9`."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
