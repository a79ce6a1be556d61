"""Read and check the report, and write it as CSV, JSON Lines or Parquet."""

import csv
import io
import json
from collections.abc import Callable, Container, Iterable, Iterator
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from cctranslate.batch.report.cell_types import readable
from cctranslate.batch.report.parquet import GROUP, write_parquet
from cctranslate.batch.report.row import Row
from cctranslate.batch.report.schema import NAMES, csv_line, from_cells, to_cells, to_record
from cctranslate.errors import InputError, OptionError
from cctranslate.files.paths import real_path
from cctranslate.files.writing import atomic_write

_PUT_BACK = "put it back as it was, if another program has saved it, or start anew with --overwrite"
_HEADER = csv_line(NAMES).encode()
_SOURCE, _FACE, _STATUS = map(NAMES.index, ("source", "face", "status"))
_LONGEST = 1 << 20
"""Most bytes of a record: a bound for a quote that is never closed."""


def read(path: Path) -> Iterator[Row]:
    """Return the rows of a report.

    Raises:
        OptionError: No run wrote this file.
    """
    for rows, _ in read_inputs(path):
        yield from rows


def read_faces(
    path: Path, is_chosen: Callable[[int], bool] = lambda _: True
) -> Iterator[list[Row]]:
    """Yield the rows of each face, or the single row of an input without a face.

    Only for a report that this run has read or written, as rows are not checked. `is_chosen` gets a
    face's number, from 0. The cells of other faces are not parsed, which saves nine tenths of the
    time.
    """
    for number, face in enumerate(_faces(path)):
        if is_chosen(number):
            yield list(map(from_cells, face))


def read_done_faces(path: Path, numbers: Container[int]) -> Iterator[list[Row]]:
    """Yield the rows of some of the done faces, by their `numbers` from 0, as `read_faces`."""
    done = (face for face in _faces(path) if face[0][_STATUS] == "done")
    for number, face in enumerate(done):
        if number in numbers:
            yield list(map(from_cells, face))


def _faces(path: Path) -> Iterator[list[list[str]]]:
    """Return the rows of each face as cells."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        records = csv.reader(file)
        next(records, None)
        for _, face in groupby(records, key=itemgetter(_SOURCE, _FACE)):
            yield list(face)


def read_inputs(path: Path) -> Iterator[tuple[list[Row], int]]:
    """Yield the rows that a call made of each input, and the position in the file after them.

    Raises:
        OptionError: No run wrote this file.
    """
    for rows, _, end in read_spans(path):
        yield rows, end


def read_spans(path: Path) -> Iterator[tuple[list[Row], int, int]]:
    """Yield the rows that a call made of each input, and their first and last position in the file.

    An input has rows of several calls if a later one added an expression; `compaction.JoinedReport`
    joins them. Incomplete rows at the end are left out.

    Raises:
        InputError: The file cannot be read.
        OptionError: No run wrote it.
    """
    try:
        if path.exists():
            yield from _spans(path)
    except OSError as error:
        # Not as OSError: code that copies rows to another file would blame that file.
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def _spans(path: Path) -> Iterator[tuple[list[Row], int, int]]:
    with path.open("rb") as file:
        header = file.readline(len(_HEADER))
        if header != _HEADER:
            if _HEADER.startswith(header):
                return
            raise OptionError(f"{path}: not a report as this version writes it: {_PUT_BACK}")
        group: list[Row] = []
        start = file.tell()
        while raw := _record(file):
            row = _parsed(raw)
            if row is None:
                raise OptionError(f"{path}: from byte {start:,}: no row of a run: {_PUT_BACK}")
            group.append(row)
            if group[0].source != row.source:
                raise OptionError(
                    f"{path}: {readable(group[0].source)}: rows are missing: start anew with "
                    "--overwrite"
                )
            if len(group) == expected_rows(group[0]):
                end = file.tell()
                yield group, start, end
                group, start = [], end


def parse(content: bytes) -> list[Row]:
    """Return the rows of CSV records that `read_spans` has checked."""
    file = io.BytesIO(content)
    return [row for raw in iter(lambda: _record(file), b"") if (row := _parsed(raw))]


def expected_rows(first: Row) -> int:
    """Return how many rows a call made of an input, by its first row."""
    return max((first.faces or 0) * (first.results_per_face or 0), 1)


def _parsed(raw: bytes) -> Row | None:
    """Return the row of a CSV record; None if no run wrote it."""
    try:
        return from_cells(next(csv.reader([raw.decode("utf-8", "surrogateescape")], strict=True)))
    except (csv.Error, ValueError):
        return None


def _record(file: BinaryIO) -> bytes:
    """Return the next whole CSV record: a quoted cell may hold line breaks."""
    raw = file.readline()
    while raw.count(b'"') % 2 and len(raw) < _LONGEST:
        more = file.readline()
        if not more:
            return b""
        raw += more
    return raw if raw.endswith(b"\n") else b""


def drop_failed(path: Path) -> None:
    """Remove the rows of failed inputs from a report, so that they are processed again.

    Raises:
        OptionError: No run wrote this file.
        OutputError: It cannot be written; it stays as it was.
    """
    write((row for row in read(path) if row.status != "failed"), path)


def copy(report: Path, path: Path) -> None:
    """Write the rows of a report to another file, in the format that its suffix names.

    Raises:
        OutputError: `path` cannot be written.
    """
    if real_path(path) == real_path(report):
        return
    if _suffix(path) != ".parquet":
        write(read(report), path)
        return
    with atomic_write(path) as file:
        write_parquet([report], file)


def write(rows: Iterable[Row], path: Path) -> None:
    """Write rows to a file that ends in `.csv`, `.parquet` or, for JSON Lines, anything else.

    Raises:
        OutputError: `path` cannot be written; it stays as it was.
    """
    with atomic_write(path) as file:
        if _suffix(path) == ".parquet":
            write_parquet(_csv_files(rows), file)
        elif _suffix(path) == ".csv":
            file.write(_HEADER)
            file.writelines(csv_lines(rows))
        else:
            file.writelines(json_line(row).encode() for row in rows)


def _suffix(path: Path) -> str:
    """Return the suffix in lower case, which names the format."""
    return path.suffix.lower()


def _csv_files(rows: Iterable[Row]) -> Iterator[BinaryIO]:
    """Yield rows as CSV files that each fit in memory."""
    lines = csv_lines(rows)
    while group := b"".join(islice(lines, GROUP)):
        yield io.BytesIO(_HEADER + group)


def csv_lines(rows: Iterable[Row]) -> Iterator[bytes]:
    """Return each row as a line of CSV."""
    return (csv_line(to_cells(row)).encode("utf-8", "surrogateescape") for row in rows)


def json_line(row: Row) -> str:
    """Return a row as a line of JSON."""
    return json.dumps(to_record(row)) + "\n"
