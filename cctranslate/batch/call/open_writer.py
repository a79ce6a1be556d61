"""Choose and open the writer of a call's layout or stream."""

from collections.abc import Collection
from typing import assert_never

from cctranslate.batch.call.options import Options
from cctranslate.batch.inputs import sources
from cctranslate.batch.outputs.encoding import Encoding
from cctranslate.batch.outputs.fer_csv import FerCsvWriter
from cctranslate.batch.outputs.file_writer import FileWriter
from cctranslate.batch.outputs.single_file import SingleFileWriter
from cctranslate.batch.outputs.stdout import StdoutWriter, TarPacker
from cctranslate.batch.outputs.webdataset import SamplePacker, TarWriter
from cctranslate.batch.outputs.writers import Writer


def open_writer(options: Options, last: Collection[str]) -> Writer:
    """Return a writer that continues after the results `last` of earlier calls.

    Raises:
        OutputError: These results are missing, or what follows them cannot be dropped.
    """
    encoding = options.encoding
    if options.out_file:
        return SingleFileWriter(options.out_file, encoding)
    if options.stream:
        return _stdout(options, encoding)
    match options.layout:
        case "webdataset":
            return TarWriter(options.out, encoding, last)
        case "fer-csv":
            return FerCsvWriter(options.out, last, options.soft_labels)
        case "imagefolder" | "tree":
            return FileWriter(out=options.out, encoding=encoding)
        case layout:
            assert_never(layout)


def _stdout(options: Options, encoding: Encoding) -> StdoutWriter:
    if options.layout == "webdataset":
        return StdoutWriter(SamplePacker(encoding=encoding), complete=False)
    complete = sources.are_single_picture(options.inputs) and len(options.plan.variants) == 1
    return StdoutWriter(TarPacker(encoding=encoding, complete=complete), complete)
