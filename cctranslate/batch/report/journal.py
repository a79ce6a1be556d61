"""The report while a run writes it, which is also what the next call goes on from."""

from pathlib import Path
from typing import Literal

from cctranslate.batch.report.formats import inputs
from cctranslate.batch.report.schema import COLUMNS, Counts, Row, line
from cctranslate.files import Appended


class Journal:
    """`report.csv`, which is also what a run goes on from: only its row makes an input done."""

    def __init__(self, path: Path, results: int) -> None:
        """Open the report of a run that makes so many results of each face.

        What a kill left of the last input's rows is dropped.

        Raises:
            OptionError: it is not what a run left.
            OutputError: it cannot be written.
        """
        self.path, self.counts = path, Counts()
        self._known: dict[str, Literal["named", "nameless"]] = {}
        self.last: frozenset[str] = frozenset()
        """The outputs of the last input that has any."""
        whole = 0
        for rows, end in inputs(path):
            if len(rows) != max(int(rows[0]["faces"] or 0) * results, 1):
                break
            self.counts.add(rows)
            outputs = frozenset(row["output"] for row in rows if row["output"])
            self.last = outputs or self.last
            self._known[rows[0]["source"]] = "named" if outputs else "nameless"
            whole = end
        self._file = Appended(path, whole)
        if not whole:
            self._write([list(COLUMNS)])

        self.resumed = len(self._known)
        """Inputs that an earlier call ended."""

    def known(self, source: str) -> Literal["named", "nameless"] | None:
        """Whether an earlier call ended an input, and a result in its rows has the input's name."""
        return self._known.get(source)

    def add(self, rows: list[Row]) -> None:
        """Append one input's rows at once.

        Raises:
            OutputError: they cannot be written.
        """
        cells = [row.cells() for row in rows]
        self._write([list(row.values()) for row in cells])
        self.counts.add(cells)

    def _write(self, lines: list[list[str]]) -> None:
        self._file.add("".join(map(line, lines)).encode("utf-8", "surrogateescape"))

    def close(self) -> None:
        """Make sure that the rows are on disk.

        Raises:
            OutputError: they are not.
        """
        self._file.close()
