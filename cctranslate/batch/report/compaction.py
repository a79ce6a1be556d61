"""Join the rows that several calls made of one input, so that a report reads as if one had."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from cctranslate.batch.report import formats
from cctranslate.batch.report.row import Row
from cctranslate.emotions import EMOTIONS


def compact(path: Path, key: Callable[[str], bytes]) -> list[str]:
    """Rewrite a report so that the rows of each input stand together, and return stale outputs.

    Inputs stay in the order in which they were first met. Of two rows for one result the later one
    stays; so do only rows of the file as it was last. The outputs of the rows that go, as far as
    no row that stays names them, are returned.

    Args:
        path: The report.
        key: What tells inputs apart.

    Raises:
        OptionError: no run wrote this file.
        OutputError: it cannot be written; it stays as it was.
    """
    spans: dict[bytes, list[tuple[int, int]]] = {}
    for rows, start, end in formats.read_spans(path):
        spans.setdefault(key(rows[0].source), []).append((start, end))
    stale: list[str] = []

    def joined() -> Iterator[Row]:
        with path.open("rb") as file:
            for parts in spans.values():
                groups = []
                for start, end in parts:
                    file.seek(start)
                    groups.append(formats.parse(file.read(end - start)))
                rows = join(groups)
                current = {row.output for row in rows}
                stale.extend(
                    row.output
                    for group in groups
                    for row in group
                    if row.output and row.output not in current
                )
                yield from rows

    formats.write(joined(), path)
    return stale


def join(groups: list[list[Row]]) -> list[Row]:
    """Return the rows of one input, given those of each call, as one call would have made them.

    Where the last call failed, its row follows the results of those before it, which stay.
    """
    last = groups[-1]
    if len(groups) == 1:
        return last
    with_results = [group for group in groups if group[0].target]
    failure = [] if last[0].target else last
    if not with_results:
        return failure
    first, latest = with_results[-1][0], {}
    for group in with_results:
        for row in group:
            if _stamp(row) == _stamp(first) and row.faces == first.faces:
                latest[row.face, row.target, row.strength, row.sample] = row
    per_face = len(latest) // max(first.faces or 1, 1)
    source = groups[0][0].source
    rows = [replace(row, results_per_face=per_face) for row in sorted(latest.values(), key=_order)]
    return [replace(row, source=source) for row in (*rows, *failure)]


def _order(row: Row) -> tuple[int, int, float, int]:
    return row.face or 0, EMOTIONS.index(row.target or ""), row.strength or 0, row.sample or 0


def _stamp(row: Row) -> tuple[int | None, int | None]:
    return row.source_size, row.source_mtime_ns
