"""What every layout's writer has in common, and the writer of single files."""

import errno
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

from cctranslate.batch.outputs.encoding import Encoding, Result
from cctranslate.batch.outputs.ownership import is_ours
from cctranslate.batch.report.row import Row
from cctranslate.batch.report.schema import NAMES, line, to_cells
from cctranslate.batch.stores.small_files import create_file
from cctranslate.files import replacing, unwritable
from cctranslate.remote import is_remote, write_new

_OUTPUT = NAMES.index("output")
_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
"""Errors that the next result would meet as well."""
_STRANGE = "{path} is there, and no run wrote it: move it away"


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A result, where it goes and what the report says of it."""

    result: Result
    output: str
    """Its path below OUT, by the layout."""
    target: str
    rows: tuple[Row, ...]
    """A row for each face that is changed in it."""
    usage: str
    """Which part of a dataset in FER2013's form it belongs to."""
    replaces: bool = False
    """Whether it takes the place of an earlier result, which the report names."""
    is_altered: bool = False
    """Whether somebody changed the earlier result, so that its file is left."""


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """What tells that a result has changed since it was written."""

    size: int
    sha256: str


def fingerprint(content: bytes) -> Fingerprint:
    """Return the fingerprint of a result's bytes."""
    return Fingerprint(size=len(content), sha256=hashlib.sha256(content).hexdigest())


@dataclass(frozen=True, kw_only=True)
class Packed:
    """An input's results as a packer made them."""

    content: bytes = b""
    """What the writer's `add` takes."""
    fingerprints: Mapping[str, Fingerprint] = field(default_factory=dict)
    """By output path."""


class ResultPacker(Protocol):
    """How a layout's results are made, in any thread or process."""

    @property
    def in_memory(self) -> bool:
        """Whether results wait in memory for the writer's `add`."""

    def write(self, results: Iterable[Placed]) -> Packed:
        """Make an input's results, all or none of them; a result's picture holds until the next.

        Raises:
            OutputError: nothing can be written any more.
            OSError: these results alone cannot be written, or their format cannot hold them.
        """


class Writer(Protocol):
    """Where a layout's results go, one input after the other."""

    @property
    def packer(self) -> ResultPacker:
        """What makes them."""

    def add(self, rows: list[Row], content: bytes) -> list[Row]:
        """Write what the packer made, in the inputs' order; return the rows with their outputs.

        Raises:
            OutputError: nothing can be written any more.
        """

    def close(self) -> None:
        """End what is open.

        Raises:
            OutputError: it cannot be written.
        """


@dataclass(frozen=True, kw_only=True)
class Unplaced:
    """An input's results and rows, before the writer has said where the results lie."""

    content: bytes
    """What the packer made of the results."""
    pieces: list[bytes]
    """The report's lines, cut where the writer's part of each result's name goes."""


@runtime_checkable
class GrowingWriter(Writer, Protocol):
    """A writer of files that grow: where a result lies depends on what came before it."""

    def cut(self, row: Row) -> tuple[bytes, bytes]:
        """Return the line of a row with a result, before and after what `place` adds to it."""

    def place(self, inputs: Sequence[Unplaced]) -> bytes:
        """Write the results of some inputs, in order; return the report's lines.

        Raises:
            OutputError: nothing can be written any more.
        """


def cut_before_name(row: Row) -> tuple[bytes, bytes]:
    """Return a row's line up to the name of its result, within its quotes, and the rest."""
    cells = to_cells(row)
    head, tail = line([*cells[:_OUTPUT], ""]).removesuffix("\n"), line(cells[_OUTPUT:])
    if tail.startswith('"'):
        head, tail = f'{head}"', tail[1:]
    return _encoded(head), _encoded(tail)


def cut_out_name(row: Row) -> tuple[bytes, bytes]:
    """Return a row's line before and after the name of its result."""
    cells = to_cells(row)
    head, tail = line([*cells[:_OUTPUT], ""]), line(["", *cells[_OUTPUT + 1 :]])
    return _encoded(head.removesuffix("\n")), _encoded(tail)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@dataclass(frozen=True, kw_only=True)
class Files:
    """Each result as a file below `out`."""

    out: Path
    encoding: Encoding
    in_memory: bool = False

    @property
    def packer(self) -> Self:
        """Itself: files are written where they are made."""
        return self

    def write(self, results: Iterable[Placed]) -> Packed:
        """Write each file whole or not at all; if one fails, the others are removed.

        Raises:
            OutputError: the disk is full or `out` cannot be written to.
            OSError: a file alone cannot be written, or the format cannot hold the picture.
        """
        fingerprints: dict[str, Fingerprint] = {}
        written: list[str] = []
        try:
            for placed in results:
                content = self.encoding.encode(placed.result, placed.target)
                if not placed.is_altered:
                    _write(content, self.out / placed.output, placed.replaces)
                    written.append(placed.output)
                fingerprints[placed.output] = fingerprint(content)
        except OSError:
            for output in written:
                (self.out / output).unlink(missing_ok=True)
            raise
        return Packed(fingerprints=fingerprints)

    def add(self, rows: list[Row], content: bytes) -> list[Row]:
        """Return the rows as they are: the files are there."""
        return rows

    def close(self) -> None:
        """Do nothing: no file is open."""


def _write(content: bytes, path: Path, replaces: bool) -> None:
    """Write a result; a file that is there already is replaced only if a run of ours wrote it.

    Such a file without a row is what a killed run left: it carries our mark, or it is the same.

    Raises:
        OSError: it cannot be written, or somebody else's file is there.
        OutputError: nothing can be written any more.
    """
    if is_remote(path):
        _write_remote(content, path, replaces)
        return
    there = path.exists()
    if there and not replaces and not is_ours(path) and path.read_bytes() != content:
        raise FileExistsError(errno.EEXIST, _STRANGE.format(path=path))
    put = _put if there else create_file
    try:
        try:
            put(path, content)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            put(path, content)
    except OSError as error:
        if error.errno in _FATAL:
            raise unwritable(path, error) from None
        raise


def _put(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)


def _write_remote(content: bytes, path: Path, replaces: bool) -> None:
    """Write a result to a store, as `_write` does to a disk."""
    try:
        try:
            write_new(path, content, replaces=replaces)
        except FileExistsError:
            if not is_ours(path) and path.read_bytes() != content:
                raise FileExistsError(errno.EEXIST, _STRANGE.format(path=path)) from None
            write_new(path, content, replaces=True)
    except OSError as error:
        if error.errno in _FATAL:
            raise unwritable(path, error) from None
        raise
