"""What the results of earlier calls have in common in all layouts."""

from pathlib import Path
from typing import Protocol

from cctranslate.batch.report.compaction import JoinedReport
from cctranslate.batch.report.row import Row


class EarlierResults(Protocol):
    """The results that calls left, in one layout."""

    altered: set[str]
    """Outputs that somebody changed since they were written, as far as `is_there` has seen."""

    def prepare(self, report: Path) -> None:
        """Finish what a killed call began, before its report is read.

        Raises:
            OptionError: no run wrote the report.
            OutputError: something cannot be written, or is not what the run wrote.
        """

    def is_there(self, row: Row) -> bool:
        """Return whether a row's result is there, or the row has none; if not, it is made again."""

    def settle(self, joined: JoinedReport) -> None:
        """Remove the results that later ones supersede, and write the joined report.

        A kill at any moment leaves what the next call settles.

        Raises:
            OutputError: something cannot be written.
        """
