"""Join the rows that several calls made of an input, as if one call had made them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from cctranslate.batch.report import formats
from cctranslate.batch.report.row import Row
from cctranslate.emotions import EMOTIONS

Span = tuple[int, int]


class JoinedReport:
    """A report with the rows of each input together.

    Inputs stay in the order of their first rows. Of two rows for one result the later one stays.
    Rows of an older version of the source are dropped. If a result is gone and its source has
    failed since, all rows of its target are dropped, so that each face has the same number of rows.
    """

    def __init__(
        self, path: Path, key: Callable[[str], bytes], is_there: Callable[[Row], bool]
    ) -> None:
        """Find the rows of each input.

        Args:
            path: The report.
            key: Returns the key of a source.
            is_there: Whether a row's result exists, or the row has none.

        Raises:
            OptionError: No run wrote this file.
        """
        self.path, self._is_there = path, is_there
        self._spans: dict[bytes, list[Span]] = {}
        for rows, start, end in formats.read_spans(path):
            self._spans.setdefault(key(rows[0].source), []).append((start, end))

    def rows(self) -> Iterator[Row]:
        """Yield the rows of the joined report."""
        with self.path.open("rb") as file:
            for spans in self._spans.values():
                yield from join(self._without_gone(_read(file, spans)))

    def superseded(self) -> Iterator[tuple[list[Row], list[Row]]]:
        """Yield the dropped and the remaining rows of each input that loses rows."""
        with self.path.open("rb") as file:
            for spans in self._spans.values():
                if len(spans) == 1:
                    continue
                groups = _read(file, spans)
                current = _current(self._without_gone(groups))
                staying = set(map(id, current))
                stale = [row for group in groups for row in group if id(row) not in staying]
                if stale:
                    yield stale, current

    def _without_gone(self, groups: list[list[Row]]) -> list[list[Row]]:
        """Return the rows of each call, without results that are gone and cannot be made again."""
        if len(groups) == 1 or groups[-1][0].target:
            return groups
        gone = {row.target for group in groups for row in group if not self._is_there(row)}
        existing = [[row for row in group if row.target not in gone] for group in groups]
        return [group for group in existing if group]

    def write(self, rows: Iterable[Row]) -> None:
        """Replace the report by some rows.

        Raises:
            OutputError: It cannot be written; it stays as it was.
        """
        formats.write(rows, self.path)


def join(groups: list[list[Row]]) -> list[Row]:
    """Return the rows of an input, given those of each call, as one call would have made them.

    If the last call failed, its row follows the results of earlier calls.
    """
    if len(groups) == 1:
        return groups[0]
    current = _current(groups)
    results = [row for row in current if row.target]
    per_face = len(results) // max((results[0].faces or 1) if results else 1, 1)
    return [
        replace(row, source=groups[0][0].source, results_per_face=per_face)
        if row.target
        else replace(row, source=groups[0][0].source)
        for row in current
    ]


def _current(groups: list[list[Row]]) -> list[Row]:
    """Return the rows that no later row replaces, in the order of a single call."""
    last = groups[-1]
    failure = [] if last[0].target else last
    with_results = [group for group in groups if group[0].target]
    if not with_results:
        return failure
    first, latest = with_results[-1][0], {}
    for group in with_results:
        for row in group:
            if _stamp(row) == _stamp(first) and row.faces == first.faces:
                latest[row.face, row.target, row.strength, row.sample] = row
    return [*sorted(latest.values(), key=_order), *failure]


def _read(file: BinaryIO, spans: list[Span]) -> list[list[Row]]:
    """Return the rows of each span of a report."""
    groups = []
    for start, end in spans:
        file.seek(start)
        groups.append(formats.parse(file.read(end - start)))
    return groups


def _order(row: Row) -> tuple[int, int, float, int]:
    return row.face or 0, EMOTIONS.index(row.target or ""), row.strength or 0, row.sample or 0


def _stamp(row: Row) -> tuple[int | None, int | None, str | None]:
    return row.source_size, row.source_mtime_ns, row.source_sha256
