"""What a layout consists of: a packer and a writer.

The packer encodes the results of an input, in any thread or process. The writer takes what the
packer made, in the order of the inputs, and decides which file each result goes to.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from cctranslate.batch.outputs.encoding import Result
from cctranslate.batch.report.row import Row
from cctranslate.batch.report.schema import NAMES, csv_line, to_cells

_OUTPUT = NAMES.index("output")


@dataclass(frozen=True, kw_only=True)
class ResultToWrite:
    """A result with its output path and its rows of the report."""

    result: Result
    output: str
    """Its path below OUT, by the layout."""
    target: str
    rows: tuple[Row, ...]
    """A row for each face that is changed in it."""
    usage: str
    """Which part of a dataset in FER2013's form it belongs to."""
    replaces: bool = False
    """Whether it replaces an earlier result that the report lists."""
    is_altered: bool = False
    """Whether the user changed the earlier result: then its file is not overwritten."""


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """Size and digest of a result, by which later calls notice that the user changed it."""

    size: int
    sha256: str


def fingerprint(content: bytes) -> Fingerprint:
    """Return the fingerprint of a result's bytes."""
    return Fingerprint(size=len(content), sha256=hashlib.sha256(content).hexdigest())


@dataclass(frozen=True, kw_only=True)
class PackedResults:
    """An input's results as a packer made them."""

    content: bytes = b""
    """The packed results, for the writer's `add`."""
    fingerprints: Mapping[str, Fingerprint] = field(default_factory=dict)
    """By output path."""


class ResultPacker(Protocol):
    """Encodes the results of inputs, in any thread or process."""

    @property
    def in_memory(self) -> bool:
        """Whether results wait in memory for the writer's `add`."""

    def pack(self, results: Iterable[ResultToWrite]) -> PackedResults:
        """Encode an input's results, all or none. A result's picture is valid until the next one.

        Raises:
            OutputError: Nothing can be written any more.
            OSError: These results alone cannot be written, or their format cannot hold them.
        """


class Writer(Protocol):
    """Writes packed results, one input after the other."""

    @property
    def packer(self) -> ResultPacker:
        """The packer whose results it writes."""

    def add(self, rows: list[Row], content: bytes) -> list[Row]:
        """Write what the packer made, in the inputs' order; return the rows with their outputs.

        Raises:
            OutputError: Nothing can be written any more.
        """

    def close(self) -> None:
        """Finish and close open files.

        Raises:
            OutputError: It cannot be written.
        """


@dataclass(frozen=True, kw_only=True)
class UnplacedResults:
    """An input's results and report lines, before the writer has chosen a file for them."""

    content: bytes
    """The results as the packer returned them."""
    pieces: list[bytes]
    """The report's lines, split where the writer inserts its part of each output."""


@runtime_checkable
class GrowingWriter(Writer, Protocol):
    """A writer of files that grow: where a result lies depends on what came before it."""

    def split_line(self, row: Row) -> tuple[bytes, bytes]:
        """Split the CSV line of a row with a result where `append_inputs` inserts text."""

    def append_inputs(self, inputs: Sequence[UnplacedResults]) -> bytes:
        """Write the results of some inputs, in order, and return their lines of the report.

        Raises:
            OutputError: Nothing can be written any more.
        """


def split_before_output(row: Row) -> tuple[bytes, bytes]:
    """Split a row's CSV line before its output; inside the quotes if the output is quoted."""
    cells = to_cells(row)
    head, tail = csv_line([*cells[:_OUTPUT], ""]).removesuffix("\n"), csv_line(cells[_OUTPUT:])
    if tail.startswith('"'):
        head, tail = f'{head}"', tail[1:]
    return _encoded(head), _encoded(tail)


def split_around_output(row: Row) -> tuple[bytes, bytes]:
    """Return the parts of a row's CSV line before and after its output."""
    cells = to_cells(row)
    head, tail = csv_line([*cells[:_OUTPUT], ""]), csv_line(["", *cells[_OUTPUT + 1 :]])
    return _encoded(head.removesuffix("\n")), _encoded(tail)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
