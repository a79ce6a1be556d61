"""The report while a run writes it, which is also what the next call goes on from."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.formats import csv_lines, read_inputs
from cctranslate.batch.report.schema import NAMES, Row, line
from cctranslate.files import AppendOnlyFile


class Journal:
    """`report.csv`, which is also what a run goes on from: only its row makes an input done."""

    def __init__(
        self, path: Path, results: int, on_earlier: Callable[[Sequence[Row]], object]
    ) -> None:
        """Open the report of a run that makes `results` results of each face.

        What a kill left of the last input's rows is dropped. `on_earlier` is called with the rows
        of each input that an earlier call ended, so that the file is read once.

        Raises:
            OptionError: no run wrote this file.
            OutputError: it cannot be written.
        """
        self.path, self.counts = path, Counts()
        self._ended: set[bytes] = set()
        self.last_outputs: frozenset[str] = frozenset()
        """The outputs of the last input that has any."""
        whole = 0
        for rows, end in read_inputs(path):
            if len(rows) != max((rows[0].faces or 0) * results, 1):
                break
            self.counts.add(rows)
            outputs = frozenset(row.output for row in rows if row.output)
            self.last_outputs = outputs or self.last_outputs
            self._ended.add(source_key(rows[0].source))
            on_earlier(rows)
            whole = end
        self._file = AppendOnlyFile(path, whole)
        if not whole:
            self._file.add(line(NAMES).encode())

        self.resumed = len(self._ended)
        """Inputs that an earlier call ended."""

    def has(self, source: str) -> bool:
        """Return whether an earlier call ended an input."""
        return source_key(source) in self._ended

    def add(self, rows: Sequence[Row]) -> None:
        """Append one input's rows at once.

        Raises:
            OutputError: they cannot be written.
        """
        self._file.add(b"".join(csv_lines(rows)))
        self.counts.add(rows)

    def add_lines(self, lines: bytes, counts: Counts) -> None:
        """Append the lines of some inputs at once, whose rows were counted where they were made.

        Raises:
            OutputError: they cannot be written.
        """
        self._file.add(lines)
        self.counts.merge(counts)

    def close(self) -> None:
        """Make sure that the rows are on disk.

        Raises:
            OutputError: they are not.
        """
        self._file.close()


def source_key(source: str) -> bytes:
    """Return a digest that stands for a source: 16 bytes, so that millions of them fit."""
    return hashlib.blake2b(os.fsencode(source), digest_size=16).digest()
