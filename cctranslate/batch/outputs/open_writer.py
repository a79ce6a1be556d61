"""Open the writer that a call's options name."""

from collections.abc import Collection

from cctranslate.batch.inputs import sources
from cctranslate.batch.options import Options
from cctranslate.batch.outputs.encoding import Encoding
from cctranslate.batch.outputs.fer_csv import FerCsv
from cctranslate.batch.outputs.single_file import SingleFile
from cctranslate.batch.outputs.stdout import Members, Stdout
from cctranslate.batch.outputs.webdataset import Samples, Shards
from cctranslate.batch.outputs.writers import Files, Writer


def open_writer(options: Options, last: Collection[str]) -> Writer:
    """Return the writer of a run that goes on after the results `last`.

    Raises:
        OutputError: they are not there, or what comes after them cannot be taken away.
    """
    encoding = options.encoding
    if options.out_file:
        return SingleFile(options.out_file, encoding)
    if options.stream:
        return _stdout(options, encoding)
    if options.layout == "webdataset":
        return Shards(options.out, encoding, last)
    if options.layout == "fer-csv":
        return FerCsv(options.out, last, options.soft_labels)
    return Files(out=options.out, encoding=encoding)


def _stdout(options: Options, encoding: Encoding) -> Stdout:
    if options.layout == "webdataset":
        return Stdout(Samples(encoding=encoding), complete=False)
    complete = sources.are_single_picture(options.inputs) and len(options.plan.variants) == 1
    return Stdout(Members(encoding=encoding, complete=complete), complete)
