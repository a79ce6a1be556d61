"""Open the results of earlier calls."""

from cctranslate.batch.options import Options
from cctranslate.batch.outputs.earlier.earlier_results import EarlierResults
from cctranslate.batch.outputs.earlier.result_files import ResultFiles
from cctranslate.batch.outputs.earlier.table import ResultTable
from cctranslate.batch.outputs.earlier.tars import ResultTars


def open_earlier(options: Options) -> EarlierResults:
    """Return what earlier calls left where a call's results go."""
    if options.layout == "webdataset":
        return ResultTars(options.destination)
    if options.layout == "fer-csv":
        return ResultTable(options.out)
    return ResultFiles(options.destination)
