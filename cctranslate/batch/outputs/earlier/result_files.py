"""Earlier results in the layouts with a file for each result."""

from pathlib import Path

from cctranslate.batch.outputs.earlier.result_sizes import ResultSizes
from cctranslate.batch.report.compaction import JoinedReport
from cctranslate.batch.report.row import Row
from cctranslate.files.writing import unwritable


class ResultFiles:
    """Earlier results, each of which is a file."""

    def __init__(self, out: Path) -> None:
        self._out, self.altered = out, set[str]()
        self._sizes = ResultSizes(out)

    def prepare(self, report: Path) -> None:
        """Do nothing: a file is written whole or not at all."""

    def is_there(self, row: Row) -> bool:
        """Return whether a row's file exists. A file of another size was altered, and stays.

        An empty file counts as gone: a power failure leaves such files.
        """
        if row.output is None:
            return True
        size = self._sizes.find(row.output)
        if not size:
            return False
        if size != row.output_size:
            self.altered.add(row.output)
        return True

    def remove_superseded(self, joined: JoinedReport) -> None:
        """Remove files that the joined report no longer lists, and write that report.

        Altered files stay.

        Raises:
            OutputError: Something cannot be removed or written.
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
