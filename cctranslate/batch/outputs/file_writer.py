"""The writer of the layouts with a file for each result."""

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cctranslate.batch.outputs.encoding import Encoding
from cctranslate.batch.outputs.ownership import is_ours
from cctranslate.batch.outputs.writers import (
    Fingerprint,
    PackedResults,
    ResultToWrite,
    fingerprint,
)
from cctranslate.batch.report.row import Row
from cctranslate.errors import OutputError
from cctranslate.files.remote import is_remote, write_new
from cctranslate.files.small_files import create_file
from cctranslate.files.writing import replacing, unwritable

_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
"""Errors that the next result would meet as well."""
_NOT_OURS = "{path} is there, and no run wrote it: move it away"


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
    if exists and not replaces and _is_foreign(path, content):
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
        raise _in_the_way(path, error) from None


def _is_foreign(path: Path, content: bytes) -> bool:
    """Return whether something on a disk carries no mark of a run, and has other content."""
    try:
        return not is_ours(path) and path.read_bytes() != content
    except OSError:
        return True  # a folder, or a file that only others may read


def _in_the_way(path: Path, error: OSError) -> OSError:
    """Return the error of a file that cannot be written; it names what is in its way, if anything.

    It does not name the file: the summary groups results by reason, and names one of them.
    """
    for folder in path.parents:
        if os.path.lexists(folder) and not folder.is_dir():
            return FileExistsError(errno.EEXIST, _NOT_OURS.format(path=folder))
    return error


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
