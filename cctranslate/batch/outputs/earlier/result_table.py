"""Earlier results in `--layout fer-csv`: lines of one table, which the report names by number.

When a line is removed, the numbers of all later lines change. So the table and the report must be
replaced together. Both are first written under temporary names, the report last. A call that
finds the temporary report renames both, which completes a replacement that a kill interrupted.
"""

import csv
import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from cctranslate.batch.outputs.folder import NEXT_REPORT, NEXT_TABLE
from cctranslate.batch.outputs.layout import TABLE
from cctranslate.batch.report import formats
from cctranslate.batch.report.compaction import JoinedReport
from cctranslate.batch.report.row import Row
from cctranslate.batch.report.schema import NAMES
from cctranslate.errors import OutputError
from cctranslate.fer2013 import parse_pixels
from cctranslate.files.writing import atomic_write, unwritable

_OUTPUT = NAMES.index("output")


class ResultTable:
    """Earlier results in one table."""

    def __init__(self, out: Path) -> None:
        self._out, self.altered = out, set[str]()
        self._table = out / TABLE

    def prepare(self, report: Path) -> None:
        """Complete an interrupted replacement, and drop the rows of lines that are lost.

        Raises:
            OptionError: No run wrote the report.
            OutputError: Something cannot be written, or the table is not the one of the report.
        """
        self._finish_replacement(report)
        if _highest(report) < _count(self._table):
            return
        digests = [_digest(line) for line in _lines(self._table)]
        recorded = {row.output_sha256 for row in formats.read(report) if row.output}
        if digests and not recorded.intersection(digests):
            raise OutputError(
                f"{self._table}: holds no result that the report names: move it away, or start "
                "anew with --overwrite"
            )
        self._replace(report, lambda: _found(report, digests))

    def is_there(self, row: Row) -> bool:
        """Return True: `prepare` dropped the rows of lost lines."""
        return True

    def remove_superseded(self, joined: JoinedReport) -> None:
        """Remove superseded lines from the table, and write the joined report.

        Raises:
            OutputError: Something cannot be written.
        """
        if any(row.output for stale, _ in joined.superseded() for row in stale):
            self._replace(joined.path, joined.rows)
        else:
            joined.write(joined.rows())

    def _replace(self, report: Path, rows: Callable[[], Iterator[Row]]) -> None:
        """Replace the report by some rows, and the table by the lines that they name."""
        remaining = sorted(number for row in rows() if (number := _number(row)) is not None)
        lines_to_keep = frozenset(remaining)
        try:
            with atomic_write(self._out / NEXT_TABLE) as file:
                for number, line in enumerate(_lines(self._table, header=True), -1):
                    if number < 0 or number in lines_to_keep:
                        file.write(line)
            formats.write(_renumbered(rows(), remaining), self._out / NEXT_REPORT)
        except OSError as error:
            raise unwritable(self._table, error) from None
        self._finish_replacement(report)

    def _finish_replacement(self, report: Path) -> None:
        table, rows = self._out / NEXT_TABLE, self._out / NEXT_REPORT
        try:
            if not rows.exists():
                table.unlink(missing_ok=True)
                return
            if table.exists():
                table.replace(self._table)
            rows.replace(report)
        except OSError as error:
            raise unwritable(self._out, error) from None


def _number(row: Row) -> int | None:
    return int(row.output.partition(":")[2]) if row.output else None


def _renumbered(rows: Iterable[Row], remaining: list[int]) -> Iterator[Row]:
    """Return rows with the numbers that their lines have among the `remaining` ones."""
    for row in rows:
        number = _number(row)
        if number is None:
            yield row
        else:
            yield replace(row, output=f"{TABLE}:{bisect_left(remaining, number)}")


def _lines(table: Path, *, header: bool = False) -> Iterator[bytes]:
    """Return the whole lines of a table."""
    try:
        with table.open("rb") as file:
            for number, line in enumerate(file):
                if line.endswith(b"\n") and (number or header):
                    yield line
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{table}: cannot be read: {error.strerror}") from None


def _count(table: Path) -> int:
    return sum(1 for _ in _lines(table))


def _highest(report: Path) -> int:
    """Return the highest line number that a report names; -1 if it names none.

    Rows are validated later, when they are read in full.
    """
    highest = -1
    try:
        with report.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            for cells in csv.reader(file):
                output = cells[_OUTPUT] if len(cells) > _OUTPUT else ""
                name, _, number = output.partition(":")
                if name == TABLE and number.isascii() and number.isdigit():
                    highest = max(highest, int(number))
    except (FileNotFoundError, csv.Error):
        pass
    return highest


def _digest(line: bytes) -> str:
    try:
        levels = parse_pixels(line.split(b",")[1].decode())
    except (ValueError, IndexError):
        return ""
    return hashlib.sha256(levels.tobytes()).hexdigest()


def _found(report: Path, digests: list[str]) -> Iterator[Row]:
    """Return the rows of a report whose lines are unchanged.

    If one line of a target is lost, all rows of the input and that target are dropped, so that each
    face keeps the same number of rows.
    """
    for group, _ in formats.read_inputs(report):
        lost = {row.target for row in group if not _is_found(row, digests)}
        if not lost:
            yield from group
            continue
        rows = [row for row in group if row.target not in lost]
        faces = len(list(groupby(rows, key=lambda row: row.face)))
        yield from (replace(row, results_per_face=len(rows) // faces) for row in rows)


def _is_found(row: Row, digests: list[str]) -> bool:
    number = _number(row)
    return number is None or (number < len(digests) and digests[number] == row.output_sha256)
