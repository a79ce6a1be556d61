"""The table of the report's columns, which CSV, JSON Lines and Parquet share.

A new column is a field of `Row`, an entry here, and a value in `stages/report_rows.py`. A call
refuses to resume a report with other columns.
"""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from cctranslate.batch.report.cell_types import (
    BOOLEAN,
    BOX,
    DIGEST,
    DISPOSITION,
    EMOTION,
    INTEGER,
    LARGE_INTEGER,
    NAME,
    REAL,
    STATUS,
    STRENGTH,
    TEXT,
    TIME,
    CellType,
)
from cctranslate.batch.report.row import Row
from cctranslate.emotions import EMOTIONS


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the report."""

    name: str
    type: CellType


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
        ValueError: A cell is invalid, missing or unexpected.
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


def csv_line(cells: Iterable[str]) -> str:
    """Return a line of CSV. The csv module would leave some line ends in cells unquoted."""
    row = list(cells)
    plain = ",".join(row)
    if plain.count(",") == len(row) - 1 > 0 and not _QUOTED.search(plain):
        return plain + "\n"
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(row)
    return text.getvalue().removesuffix("\r\n") + "\n"
