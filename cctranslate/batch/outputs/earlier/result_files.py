"""Results that are a file each."""

from pathlib import Path

from cctranslate.batch.report.compaction import JoinedReport
from cctranslate.batch.report.row import Row
from cctranslate.batch.stores.result_sizes import ResultSizes
from cctranslate.files import unwritable


class ResultFiles:
    """The results of a run whose layout has a file for each."""

    def __init__(self, out: Path) -> None:
        self._out, self.altered = out, set[str]()
        self._sizes = ResultSizes(out)

    def prepare(self, report: Path) -> None:
        """Do nothing: a file is written whole or not at all."""

    def is_there(self, row: Row) -> bool:
        """Return whether a row's file is there; one that was altered is left as it is."""
        if row.output is None:
            return True
        size = self._sizes.find(row.output)
        if size is None:
            return False
        if size != row.output_size:
            self.altered.add(row.output)
        return True

    def settle(self, joined: JoinedReport) -> None:
        """Remove files that no row of the joined report names, and write that report.

        A file that was altered is left.

        Raises:
            OutputError: something cannot be removed or written.
        """
        for stale, current in joined.superseded():
            named = {row.output for row in current}
            for row in stale:
                if row.output in named or row.output is None:
                    continue
                if self._sizes.find(row.output) == row.output_size:
                    path = self._out / row.output
                    try:
                        path.unlink(missing_ok=True)
                    except OSError as error:
                        raise unwritable(path, error) from None
        joined.write(joined.rows())
