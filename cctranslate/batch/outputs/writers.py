"""What a layout consists of, and the writer of the layouts with a file for each result.

A layout has a packer and a writer. The packer encodes the results of an input, in any thread or
process. The writer takes what the packer made, in the order of the inputs, and decides which file
each result goes to.
"""

import errno
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

from cctranslate.batch.outputs.encoding import Encoding, Result
from cctranslate.batch.outputs.ownership import is_ours
from cctranslate.batch.report.row import Row
from cctranslate.batch.report.schema import NAMES, csv_line, to_cells
from cctranslate.errors import OutputError
from cctranslate.files.remote import is_remote, write_new
from cctranslate.files.small_files import create_file
from cctranslate.files.writing import replacing, unwritable

_OUTPUT = NAMES.index("output")
_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
"""Errors that the next result would meet as well."""
_NOT_OURS = "{path} is there, and no run wrote it: move it away"


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


@dataclass(frozen=True, kw_only=True)
class FileWriter:
    """Writes each result as a file below `out`. It is its own packer."""

    out: Path
    encoding: Encoding
    in_memory: bool = False

    @property
    def packer(self) -> Self:
        """Itself: the worker that encodes a file also writes it."""
        return self

    def pack(self, results: Iterable[ResultToWrite]) -> PackedResults:
        """Write each file whole or not at all; if one fails, the others are removed.

        Raises:
            OutputError: The disk is full or `out` cannot be written to.
            OSError: A file alone cannot be written, or the format cannot hold the picture.
            Exception: Anything that making the results raises.
        """
        fingerprints: dict[str, Fingerprint] = {}
        written: list[str] = []
        try:
            for to_write in results:
                content = self.encoding.encode(to_write.result, to_write.target)
                if not to_write.is_altered:
                    _write(content, self.out / to_write.output, to_write.replaces)
                    written.append(to_write.output)
                fingerprints[to_write.output] = fingerprint(content)
        except OutputError:
            raise
        except Exception:
            for output in written:
                (self.out / output).unlink(missing_ok=True)
            raise
        return PackedResults(fingerprints=fingerprints)

    def add(self, rows: list[Row], content: bytes) -> list[Row]:
        """Return the rows as they are: the files are there."""
        return rows

    def close(self) -> None:
        """Do nothing: no file is open."""


def _write(content: bytes, path: Path, replaces: bool) -> None:
    """Write a result. An existing file is replaced only if a run wrote it.

    A killed run leaves files without rows: they carry our mark, or have the same content.

    Raises:
        OSError: It cannot be written, or somebody else's file is there.
        OutputError: Nothing can be written any more.
    """
    if is_remote(path):
        _write_remote(content, path, replaces)
        return
    exists = path.exists()
    if exists and not replaces and not is_ours(path) and path.read_bytes() != content:
        raise FileExistsError(errno.EEXIST, _NOT_OURS.format(path=path))
    write = _replace_file if exists else create_file
    try:
        try:
            write(path, content)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, content)
    except OSError as error:
        if error.errno in _FATAL:
            raise unwritable(path, error) from None
        raise


def _replace_file(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)


def _write_remote(content: bytes, path: Path, replaces: bool) -> None:
    """Write a result to a store, as `_write` does to a disk."""
    try:
        try:
            write_new(path, content, replaces=replaces)
        except FileExistsError:
            if not is_ours(path) and path.read_bytes() != content:
                raise FileExistsError(errno.EEXIST, _NOT_OURS.format(path=path)) from None
            write_new(path, content, replaces=True)
    except OSError as error:
        if error.errno in _FATAL:
            raise unwritable(path, error) from None
        raise
