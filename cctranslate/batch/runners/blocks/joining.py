"""Join the rows of a plan's finished blocks, in the order of the inputs."""

import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from operator import attrgetter
from pathlib import Path

from cctranslate.batch.outputs.fer_csv import FerCsvWriter
from cctranslate.batch.report import formats
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.row import Row
from cctranslate.batch.runners.blocks.row_files import InputRows, read_rows
from cctranslate.batch.runners.blocks.work_folder import BlockPlan, WorkFolder, unpickled
from cctranslate.errors import OutputError

_RANGE = 100_000
"""Inputs whose rows are sorted in memory at once, if 256 such ranges are enough."""
_MOST_RANGES = 256
"""Most ranges: each is a file that is open while rows are sorted."""
_AT_ONCE = 1_000
"""Inputs whose lines are yielded together."""


def join(folder: WorkFolder, plan: BlockPlan, counts: Counts) -> Iterator[InputRows]:
    """Yield the rows of all finished blocks in the order of the inputs, and add to `counts`.

    Raises:
        OutputError: They cannot be read, or not be sorted on disk.
    """
    size = max(_RANGE, -(-plan.inputs // _MOST_RANGES))
    try:
        with folder.spool() as spool:
            paths = [spool / f"{i:03}" for i in range(-(-plan.inputs // size))]
            _sort(folder, plan, counts, paths, size)
            for path in paths:
                yield from sorted(unpickled(path), key=attrgetter("number"))
                path.unlink()
    except OSError as error:
        raise OutputError(f"{folder.path}: rows cannot be joined: {error.strerror}") from None


def _sort(
    folder: WorkFolder, plan: BlockPlan, counts: Counts, paths: list[Path], size: int
) -> None:
    """Write the rows of every `size` inputs to one of the files `paths`."""
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in paths]
        for number in folder.finished(plan):
            rows, counted = read_rows(folder.rows(number))
            counts.merge(counted)
            for row in rows:
                pickle.dump(row, files[row.number // size], pickle.HIGHEST_PROTOCOL)


def lines(
    rows: Iterable[InputRows],
    table: FerCsvWriter | None,
    show: Callable[[list[Row]], None],
    show_all: bool,
) -> Iterator[bytes]:
    """Yield the report's lines, of many inputs at once.

    Args:
        rows: The rows of each input, in order.
        table: Takes the results in a layout where all inputs share a file.
        show: Called with the rows of each input without a result, or of every input.
        show_all: Whether `show` is called with the rows of every input.

    Raises:
        OutputError: The table cannot be written.
    """
    inputs = iter(rows)
    while group := list(islice(inputs, _AT_ONCE)):
        yield b"".join(_finished(of_input, table, show, show_all) for of_input in group)


def _finished(
    of_input: InputRows,
    table: FerCsvWriter | None,
    show: Callable[[list[Row]], None],
    show_all: bool,
) -> bytes:
    if table is None and not show_all and of_input.status == "done":
        return of_input.lines
    rows = formats.parse(of_input.lines)
    if table is not None:
        rows = table.add(rows, of_input.content)
    if show_all or of_input.status != "done":
        show(rows)
    return b"".join(formats.csv_lines(rows))
