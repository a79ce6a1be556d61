"""`-o -`: results to standard output."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cctranslate.batch.outputs.encoding import Encoding
from cctranslate.batch.outputs.webdataset import END, member
from cctranslate.batch.outputs.writers import (
    PackedResults,
    ResultPacker,
    ResultToWrite,
    UnplacedResults,
    fingerprint,
    split_before_output,
)
from cctranslate.batch.report.row import Row
from cctranslate.errors import OutputError


@dataclass(frozen=True, kw_only=True)
class TarPacker:
    """Packs results as members of a tar; a single result of a single input stays a bare picture."""

    encoding: Encoding
    complete: bool
    """Whether there is one input alone: its results are a whole tar, or one bare picture."""
    in_memory: bool = True

    def pack(self, results: Iterable[ResultToWrite]) -> PackedResults:
        """Return the tar members of an input's results, or its only result as a bare picture.

        Raises:
            OSError: The format cannot hold a picture.
        """
        pictures = {
            to_write.output: self.encoding.encode(to_write.result, to_write.target)
            for to_write in results
        }
        fingerprints = {output: fingerprint(picture) for output, picture in pictures.items()}
        if self.complete and len(pictures) == 1:
            (content,) = pictures.values()
        else:
            content = b"".join(member(output, picture) for output, picture in pictures.items())
            content += END if self.complete else b""
        return PackedResults(content=content, fingerprints=fingerprints)


class StdoutWriter:
    """Writes a tar of results, or one bare picture."""

    split_line = staticmethod(split_before_output)

    def __init__(self, packer: ResultPacker, complete: bool) -> None:
        """Write what `packer` makes; with `complete` it makes a whole tar, end included."""
        self.packer, self._complete = packer, complete

    def add(self, rows: list[Row], content: bytes) -> list[Row]:
        """Write an input's results.

        Raises:
            OutputError: They cannot be written.
            BrokenPipeError: Their reader went away.
        """
        _write(content)
        return rows

    def append_inputs(self, inputs: Sequence[UnplacedResults]) -> bytes:
        """Write the results of some inputs, and return their lines of the report.

        Raises:
            OutputError: They cannot be written.
            BrokenPipeError: Their reader went away.
        """
        _write(b"".join(each.content for each in inputs))
        return b"".join(piece for each in inputs for piece in each.pieces)

    def close(self) -> None:
        """Write the end of a tar of several inputs.

        Raises:
            OutputError: It cannot be written.
            BrokenPipeError: Its reader went away.
        """
        if not self._complete:
            _write(END)


def _write(content: bytes) -> None:
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"-o -: cannot be written: {error.strerror}") from None
