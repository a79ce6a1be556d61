"""Choose how the results of earlier calls are checked, by layout."""

from cctranslate.batch.options import Options
from cctranslate.batch.outputs.earlier.earlier_results import EarlierResults
from cctranslate.batch.outputs.earlier.result_files import ResultFiles
from cctranslate.batch.outputs.earlier.result_table import ResultTable
from cctranslate.batch.outputs.earlier.result_tars import ResultTars


def open_earlier(options: Options) -> EarlierResults:
    """Return the results of earlier calls in a call's output folder."""
    if options.layout == "webdataset":
        return ResultTars(options.destination)
    if options.layout == "fer-csv":
        return ResultTable(options.out)
    return ResultFiles(options.destination)
