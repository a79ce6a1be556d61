"""Join the rows that several calls made of one input, so that a report reads as if one had."""

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

    Inputs stay in the order in which they were first met. Of two rows for one result the later one
    stays; so do only rows of the file as it was last. A result that is gone and whose source has
    failed since has no row, nor have the others of its target, so that each face has as many.
    """

    def __init__(
        self, path: Path, key: Callable[[str], bytes], is_there: Callable[[Row], bool]
    ) -> None:
        """Find the rows of each input.

        Args:
            path: The report.
            key: What tells inputs apart.
            is_there: Whether a row's result is there, or the row has none.

        Raises:
            OptionError: no run wrote this file.
        """
        self.path, self._is_there = path, is_there
        self._spans: dict[bytes, list[Span]] = {}
        for rows, start, end in formats.read_spans(path):
            self._spans.setdefault(key(rows[0].source), []).append((start, end))

    def rows(self) -> Iterator[Row]:
        """Return the rows of the report as it will be."""
        with self.path.open("rb") as file:
            for spans in self._spans.values():
                yield from join(self._without_gone(_read(file, spans)))

    def superseded(self) -> Iterator[tuple[list[Row], list[Row]]]:
        """Return the rows that go and those that stay, for each input that some rows go of."""
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
        """Return the rows of each call, without results that are gone and could not be remade."""
        if len(groups) == 1 or groups[-1][0].target:
            return groups
        gone = {row.target for group in groups for row in group if not self._is_there(row)}
        existing = [[row for row in group if row.target not in gone] for group in groups]
        return [group for group in existing if group]

    def write(self, rows: Iterable[Row]) -> None:
        """Replace the report by some rows.

        Raises:
            OutputError: it cannot be written; it stays as it was.
        """
        formats.write(rows, self.path)


def join(groups: list[list[Row]]) -> list[Row]:
    """Return the rows of one input, given those of each call, as one call would have made them.

    Where the last call failed, its row follows the results of those before it, which stay.
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
    """Return the rows that no later one supersedes, in the order that one call gives them."""
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


def _stamp(row: Row) -> tuple[int | None, int | None]:
    return row.source_size, row.source_mtime_ns
