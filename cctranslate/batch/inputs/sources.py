"""Pictures, folders, globs, archives, datasets and path lists as a stream of items."""

import glob
import hashlib
import io
import os
import select
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cctranslate.batch.inputs.archives import LARGEST, from_tar_or_csv, from_zip
from cctranslate.batch.inputs.exclusions import InputFilter, OutputPaths
from cctranslate.batch.inputs.file_kinds import is_tar, is_zip
from cctranslate.batch.inputs.items import Broken, Item, Member, MemberError
from cctranslate.batch.inputs.path_lists import read_paths
from cctranslate.batch.stores import remote_files
from cctranslate.errors import InputError
from cctranslate.fer2013 import has_pixels
from cctranslate.files import is_compressed
from cctranslate.folders.patterns import is_deep, matches
from cctranslate.folders.walking import walk
from cctranslate.remote import is_remote, open_path

STDIN = "-"
_PIECE = 1 << 20
_TURN = 0.2
"""Bytes that are read from a named pipe at once, and seconds until it is looked at again."""


def check(word: str) -> None:
    """Make sure that an input names something.

    Raises:
        InputError: it does not, or a folder that cannot be listed; the message names it.
    """
    if word == STDIN:
        if sys.stdin.isatty():
            raise InputError("- is a picture from stdin: send it one")
        return
    if is_remote(word):
        remote_files.check(word)
        return
    if os.path.lexists(word):
        try:
            if os.path.isdir(word):  # noqa: PTH112
                os.scandir(word).close()
        except OSError as error:
            raise InputError(f"{word}: cannot be listed: {error.strerror}") from None
        return
    if not glob.has_magic(word):
        raise InputError(f"{word or repr(word)}: {_why_missing(word)}")
    if next(matches(word), None) is None:
        raise InputError(f"{word}: matches nothing: check the pattern")


def _why_missing(word: str) -> str:
    try:
        os.lstat(word)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "not found: name a picture, a folder or a pattern"


def from_inputs(inputs: Iterable[str], written: OutputPaths, chosen: InputFilter) -> Iterator[Item]:
    """Yield the items of each input: a file, what is in it, a folder (sorted), a glob or stdin.

    Archives and datasets are opened where they are named, not where they lie in a folder.

    Args:
        inputs: The words that the user gave.
        written: What the run itself writes, which is never an input.
        chosen: Decides on what lies in folders and archives.
    """
    for word in inputs:
        if word == STDIN:
            yield _from_stdin()
            continue
        for path in _named(word):
            if written.holds(path):
                continue
            if not path.is_dir():
                yield from _chosen(open_named(path, path.name), chosen)
            elif is_remote(path):
                yield from remote_files.from_folder(path, written, chosen)
            elif not is_deep(word) or os.path.lexists(word):  # else their files match as well
                for found, relative in walk(path, written.paths):
                    if chosen.takes_file(found, relative):
                        yield Item(path=found, relative=relative, named=False)


def _chosen(items: Iterable[Item], chosen: InputFilter) -> Iterator[Item]:
    """Leave out members of archives that the patterns leave out."""
    for item in items:
        if item.named or chosen.takes_name(item.relative):
            yield item


def _named(word: str) -> list[Path]:
    """Return the paths that a word names: itself, or what it matches as a pattern."""
    if is_remote(word):
        return remote_files.named(word)
    if os.path.lexists(word):
        return [Path(word)]
    found = [Path(match) for match in sorted(matches(word))]
    return found or [Path(word)]


def from_list(
    listed: str, nul: bool, written: OutputPaths, chosen: InputFilter
) -> Iterator[Item | None]:
    """Return the items of a list of paths, one a line or NUL-separated; `-` is standard input.

    None comes where the list has no further path so far.

    A path keeps its folders in its name, without a leading root or `..`. What the run has
    `written` is passed by.

    Raises:
        InputError: the list cannot be read.
    """
    for word in read_paths(listed, nul):
        if word is None:
            yield None
            continue
        path = open_path(word)
        if written.holds(path):
            continue
        parts = [part for part in path.parts if part not in (path.anchor, "..", ".")]
        yield from _chosen(open_named(path, "/".join(parts)), chosen)


def are_single_picture(inputs: Sequence[str]) -> bool:
    """Return whether the inputs are one picture by itself, if they are a picture at all."""
    return len(inputs) == 1 and is_single_picture(inputs[0])


def is_single_picture(word: str) -> bool:
    """Return whether an input is one picture by itself, if it is one at all."""
    path = open_path(word)
    head = _head(path)
    return word == STDIN or (head != b"" and not _holds_more(head, path))


def _holds_more(head: bytes, path: Path) -> bool:
    """Return whether a file is an archive or a dataset."""
    return is_zip(head, path) or is_tar(head, path) or is_compressed(head) or has_pixels(head)


def _from_stdin() -> Item:
    """Return one picture's bytes, named by their digest: another picture is another input."""
    content = sys.stdin.buffer.read(LARGEST + 1)
    digest = hashlib.sha256(content).hexdigest()[:12]
    if len(content) > LARGEST:
        reason = f"more than {LARGEST >> 20} MiB: name it as a file"
        return Broken(path=Path(STDIN), relative="stdin", named=True, inner=digest, reason=reason)
    return Member(
        path=Path(STDIN), relative="stdin", named=True, inner=digest, read=lambda: content
    )


def open_named(path: Path, relative: str) -> Iterator[Item]:
    """Return a named file as one item, or as those that it holds."""
    head = _head(path)
    if _holds_more(head, path):
        parts = from_zip(path) if is_zip(head, path) else from_tar_or_csv(path)
        return remote_files.with_stamp(parts, path) if is_remote(path) else parts
    if is_remote(path):
        return iter([remote_files.from_file(path, relative)])
    item = Item(path=path, relative=relative, named=True)
    return iter([_piped(item) if path.is_fifo() else item])


def _piped(item: Item) -> Member:
    """Return a named pipe as an item whose content comes with `fetch`, as it is read only once."""

    def read() -> bytes:
        try:
            with item.path.open("rb", buffering=0) as pipe:
                content = b"".join(_pieces(pipe))
        except OSError as error:
            raise MemberError(error.strerror or str(error)) from None
        if len(content) > LARGEST:
            raise MemberError(f"more than {LARGEST >> 20} MiB: save it as a file")
        return content

    return Member(path=item.path, relative=item.relative, named=True, read=read)


def _pieces(pipe: io.FileIO) -> Iterator[bytes]:
    """Yield what comes through a pipe, up to a little more than is read of an input."""
    size = 0
    while size <= LARGEST:
        # A signal that comes just before a read does not end it: wait in short turns, between
        # which Python sees signals.
        while not select.select([pipe], [], [], _TURN)[0]:
            pass
        piece = pipe.read(_PIECE)
        if not piece:
            return
        size += len(piece)
        yield piece


def _head(path: Path) -> bytes:
    """Return a file's first 512 bytes, or none if it is no ordinary file or cannot be read."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(512)
    except OSError:
        return b""
