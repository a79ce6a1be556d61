"""The report while a run writes it, and from which the next call resumes."""

from collections.abc import Callable, Sequence
from pathlib import Path

from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.formats import csv_lines, read_inputs
from cctranslate.batch.report.resume import ResumeState
from cctranslate.batch.report.row import Row
from cctranslate.batch.report.schema import NAMES, csv_line
from cctranslate.files.writing import AppendOnlyFile


class Journal:
    """Appends rows to `report.csv`. An input is done only when its rows are written."""

    def __init__(
        self, path: Path, resume: ResumeState, on_earlier: Callable[[Sequence[Row]], object]
    ) -> None:
        """Open a run's report, and read the rows of earlier calls.

        Incomplete rows at the end, which a kill left, are dropped.

        Args:
            path: The report.
            resume: Gets the rows of earlier calls.
            on_earlier: Called with the rows of each input that an earlier call ended, so that the
                file is read once.

        Raises:
            OptionError: No run wrote this file.
            OutputError: It cannot be written.
        """
        self.path, self.resume, self.counts = path, resume, Counts()
        whole = 0
        for rows, end in read_inputs(path):
            has_earlier_rows = resume.is_earlier(rows[0].source)
            self.counts.add(resume.add_rows(rows), has_earlier_rows=has_earlier_rows)
            on_earlier(rows)
            whole = end
        self._file = AppendOnlyFile(path, whole)
        if not whole:
            self._file.add(csv_line(NAMES).encode())
        self.results = 0
        """Results that this call made."""
        self.resumed = resume.inputs
        """Inputs that earlier calls ended."""

    @property
    def end(self) -> int:
        """The length of the report in bytes."""
        return self._file.end

    def add(self, rows: Sequence[Row]) -> None:
        """Append one input's rows at once.

        Raises:
            OutputError: They cannot be written.
        """
        self._file.add(b"".join(csv_lines(rows)))
        self.results += sum(row.status == "done" and row.target is not None for row in rows)
        self.counts.add(
            rows, has_earlier_rows=self.resume.earlier_input(rows[0].source) is not None
        )

    def add_lines(self, lines: bytes, counts: Counts) -> None:
        """Append the lines of some inputs at once, with the counts of their rows.

        Raises:
            OutputError: They cannot be written.
        """
        self._file.add(lines)
        self.results += counts.results.total()
        self.counts.merge(counts)

    def close(self) -> None:
        """Flush the rows to disk.

        Raises:
            OutputError: They cannot be flushed.
        """
        self._file.close()
