"""The report as a file: read, checked, copied to other forms."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import itemgetter
from pathlib import Path

from cctranslate.batch.report.schema import COLUMNS, SPREAD, line, readable, typed
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import OptionError, OutputError

_INTEGERS = ("faces", "face", "sample", "width", "height")
_REALS = ("score", "confidence", *SPREAD, "strength", "ms")
_GROUP = 50_000
"""Rows of a Parquet file's row group: some 100 MB while they are made."""


_WHOLE, _REAL = r"\d{1,9}", r"(?:\d{1,9}(?:\.\d+)?(?:e-\d+)?|nan)"
_WORD = "|".join(EMOTIONS)
_FACE = {
    **dict.fromkeys(("faces", "face", "sample", "width", "height"), _WHOLE),
    "box": f"{_WHOLE}(?: {_WHOLE}){{3}}",
    "score": f"{_REAL}?",
    "target": _WORD,
    "strength": _REAL,
}
_JUDGED = {
    **dict.fromkeys(("confidence", "ms", *SPREAD), _REAL),
    **dict.fromkeys(("predicted", "source_predicted"), _WORD),
    "confirmed": "true|false",
}
_CHECKED = tuple(name for name in COLUMNS if name in {"status", "source_label", *_FACE, *_JUDGED})


def _shape(status: str, cells: dict[str, str]) -> str:
    """What the checked cells of a row, joined by commas, look like: empty but for `cells`."""
    expected = {"status": status, "source_label": f"(?:{_WORD})?", **cells}
    return ",".join(f"(?:{expected.get(name, '')})" for name in _CHECKED)


_ROW = re.compile(
    "|".join(
        (
            _shape("done", _FACE | _JUDGED),
            _shape("skipped", _FACE),
            _shape("skipped|failed", {}),
        )
    ),
    re.ASCII,
)


_HEADER = line(COLUMNS).encode()


def read(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a report, as text.

    Raises:
        OptionError: it is not what a run left.
    """
    for rows, _ in inputs(path):
        yield from rows


def drop_failed(path: Path) -> None:
    """Take the rows of failed inputs out of a report, so that they are done again.

    Raises:
        OptionError: it is not what a run left.
        OutputError: it cannot be written; it stays as it was.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        write((row for row in read(path) if row["status"] != "failed"), partial, ".csv")
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None


def copy(journal: Path, place: Path) -> None:
    """Write a report's rows to a file in the form that its suffix says.

    Raises:
        OutputError: `place` cannot be written.
    """
    if place.resolve() == journal.resolve():
        return
    try:
        write(read(journal), place, place.suffix)
    except OSError as error:
        raise OutputError(f"{place}: cannot be written: {error.strerror or error}") from None


def write(rows: Iterable[dict[str, str]], place: Path, suffix: str) -> None:
    """Write rows as a `.csv`, a `.parquet` or JSON Lines.

    Raises:
        OSError: `place` cannot be written.
    """
    if suffix == ".parquet":
        _write_parquet(rows, place)
        return
    with place.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        if suffix == ".csv":
            file.write(line(COLUMNS))
            file.writelines(line(row.values()) for row in rows)
        else:
            file.writelines(json.dumps(typed(row)) + "\n" for row in rows)


def _write_parquet(rows: Iterable[dict[str, str]], place: Path) -> None:
    """Write row groups of a size that memory holds, however many rows there are."""
    import pyarrow
    from pyarrow import parquet

    known = dict.fromkeys(_INTEGERS, pyarrow.int32()) | dict.fromkeys(_REALS, pyarrow.float64())
    known["confirmed"] = pyarrow.bool_()
    schema = pyarrow.schema([(name, known.get(name, pyarrow.string())) for name in COLUMNS])
    stream = iter(rows)
    with parquet.ParquetWriter(place, schema) as file:
        while group := [typed(_readable(row)) for row in islice(stream, _GROUP)]:
            file.write_table(pyarrow.Table.from_pylist(group, schema))


def _readable(row: dict[str, str]) -> dict[str, str]:
    """A row for what holds UTF-8 alone: other bytes of names as `\\xe9`."""
    return {name: readable(cell) for name, cell in row.items()}


def inputs(path: Path) -> Iterator[tuple[list[dict[str, str]], int]]:
    """Each input's rows, and where in the file they end; a last line cut short is left out.

    Raises:
        OptionError: it is not what a run left.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        header = file.readline(len(_HEADER))
        if header != _HEADER:
            if _HEADER.startswith(header):
                return
            raise OptionError(f"{path}: not what a run left: start anew with --overwrite")
        group: list[dict[str, str]] = []
        end = file.tell()
        while raw := _record(file):
            row = _parsed(raw)
            if row is None:
                raise OptionError(
                    f"{path}: byte {end:,}: not a row that a run left: start anew with --overwrite"
                )
            if group and group[0]["source"] != row["source"]:
                yield group, end
                group = []
            group.append(row)
            end = file.tell()
        if group:
            yield group, end


def _parsed(raw: bytes) -> dict[str, str] | None:
    """A CSV record as a row; None of one that is not as `Row.cells` gives it."""
    try:
        cells = next(csv.reader([raw.decode("utf-8", "surrogateescape")], strict=True))
        row = dict(zip(COLUMNS, cells, strict=True))
    except (csv.Error, ValueError):
        return None
    return row if _ROW.fullmatch(",".join(_checked(row))) else None


_checked = itemgetter(*_CHECKED)
_LONGEST = 1 << 20
"""Bytes of a record: of a quote that is never closed no more than that is read."""


def _record(file: io.BufferedReader) -> bytes:
    """The next whole CSV record: a quoted cell may hold line breaks."""
    raw = file.readline()
    while raw.count(b'"') % 2 and len(raw) < _LONGEST:
        more = file.readline()
        if not more:
            return b""
        raw += more
    return raw if raw.endswith(b"\n") else b""
