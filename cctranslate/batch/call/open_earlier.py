"""Choose how the results of earlier calls are checked, by layout."""

from typing import assert_never

from cctranslate.batch.call.options import Options
from cctranslate.batch.outputs.earlier.earlier_results import EarlierResults
from cctranslate.batch.outputs.earlier.result_files import ResultFiles
from cctranslate.batch.outputs.earlier.result_table import ResultTable
from cctranslate.batch.outputs.earlier.result_tars import ResultTars


def open_earlier(options: Options) -> EarlierResults:
    """Return the results of earlier calls in a call's output folder."""
    match options.layout:
        case "webdataset":
            return ResultTars(options.destination)
        case "fer-csv":
            return ResultTable(options.out)
        case "imagefolder" | "tree":
            return ResultFiles(options.destination)
        case layout:
            assert_never(layout)
