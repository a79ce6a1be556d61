"""The results of earlier calls, as a protocol that each layout implements."""

from pathlib import Path
from typing import Protocol

from cctranslate.batch.report.compaction import JoinedReport
from cctranslate.batch.report.row import Row


class EarlierResults(Protocol):
    """Checks and replaces the results of earlier calls, in one layout."""

    altered: set[str]
    """Outputs that the user changed since they were written, among those given to `is_there`."""

    def prepare(self, report: Path) -> None:
        """Finish or undo what a killed call left, before its report is read.

        Raises:
            OptionError: No run wrote the report.
            OutputError: Something cannot be written, or is not what the run wrote.
        """

    def is_there(self, row: Row) -> bool:
        """Return whether a row's result exists, or the row has none; else it is made again."""

    def remove_superseded(self, joined: JoinedReport) -> None:
        """Remove superseded results, and write the joined report.

        After a kill at any moment the next call does it again.

        Raises:
            OutputError: Something cannot be written.
        """
