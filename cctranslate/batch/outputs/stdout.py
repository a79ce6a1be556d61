"""`-o -`: results to standard output."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cctranslate.batch.outputs.encoding import Encoding
from cctranslate.batch.outputs.webdataset import END, member
from cctranslate.batch.outputs.writers import (
    Packed,
    Placed,
    ResultPacker,
    Unplaced,
    cut_before_name,
    fingerprint,
)
from cctranslate.batch.report.row import Row
from cctranslate.errors import OutputError


@dataclass(frozen=True, kw_only=True)
class Members:
    """Packs an input's results as members of a tar; those of an only input are complete."""

    encoding: Encoding
    complete: bool
    """Whether there is one input: its results are a whole tar, or one bare picture."""
    in_memory: bool = True

    def write(self, results: Iterable[Placed]) -> Packed:
        """Return an input's members, or its only result as it is.

        Raises:
            OSError: the format cannot hold a picture.
        """
        pictures = {
            placed.output: self.encoding.encode(placed.result, placed.target) for placed in results
        }
        fingerprints = {output: fingerprint(picture) for output, picture in pictures.items()}
        if self.complete and len(pictures) == 1:
            (content,) = pictures.values()
        else:
            content = b"".join(member(output, picture) for output, picture in pictures.items())
            content += END if self.complete else b""
        return Packed(content=content, fingerprints=fingerprints)


class Stdout:
    """Writes a tar of the results, or the bytes of the only one."""

    cut = staticmethod(cut_before_name)

    def __init__(self, packer: ResultPacker, complete: bool) -> None:
        """Write what `packer` makes; `complete` says that the tar needs no end."""
        self.packer, self._complete = packer, complete

    def add(self, rows: list[Row], content: bytes) -> list[Row]:
        """Write an input's results.

        Raises:
            OutputError: they cannot be written.
            BrokenPipeError: their reader went away.
        """
        _put(content)
        return rows

    def place(self, inputs: Sequence[Unplaced]) -> bytes:
        """Write the results of some inputs; return the report's lines.

        Raises:
            OutputError: they cannot be written.
            BrokenPipeError: their reader went away.
        """
        _put(b"".join(each.content for each in inputs))
        return b"".join(piece for each in inputs for piece in each.pieces)

    def close(self) -> None:
        """End the tar, if it is one of several inputs.

        Raises:
            OutputError: it cannot be written.
            BrokenPipeError: its reader went away.
        """
        if not self._complete:
            _put(END)


def _put(content: bytes) -> None:
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"-o -: cannot be written: {error.strerror}") from None
