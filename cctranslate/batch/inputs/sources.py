"""Turn the inputs that the user names into a stream of items.

An input is a picture, a folder, a pattern, an archive, a dataset, a URL, a pipe or a list of paths.
"""

import glob
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cctranslate.batch.inputs import remote_files
from cctranslate.batch.inputs.archives import LARGEST, from_tar_or_csv, from_zip
from cctranslate.batch.inputs.exclusions import InputFilter, OutputPaths
from cctranslate.batch.inputs.file_kinds import is_tar, is_zip
from cctranslate.batch.inputs.path_lists import read_paths
from cctranslate.batch.items import STDIN, BrokenItem, ContentItem, Item, MemberError
from cctranslate.errors import InputError
from cctranslate.fer2013 import HEAD, has_pixels
from cctranslate.files.compression import is_compressed
from cctranslate.files.patterns import is_deep, matches
from cctranslate.files.pipes import is_pipe, read_pipe, too_long
from cctranslate.files.remote import is_remote, open_path
from cctranslate.files.walking import walk


def check(word: str) -> None:
    """Check that an input exists.

    Raises:
        InputError: It does not exist, or is a folder that cannot be listed.
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


def from_inputs(
    inputs: Iterable[str], output_paths: OutputPaths, input_filter: InputFilter
) -> Iterator[Item]:
    """Yield the items of each input, those of a folder in sorted order.

    Archives and datasets are opened if they are named, but not if they are found in a folder.

    Args:
        inputs: The words that the user gave.
        output_paths: What the run itself writes, which is never an input.
        input_filter: Decides which files in folders and archives are inputs.
    """
    for word in inputs:
        if word == STDIN:
            yield _from_stdin()
            continue
        for path in _matching_paths(word):
            if output_paths.holds(path):
                continue
            if not path.is_dir():
                yield from _filtered(open_input(path, path.name), input_filter)
            elif is_remote(path):
                yield from remote_files.from_folder(path, output_paths, input_filter)
            elif not is_deep(word) or os.path.lexists(word):  # else their files match as well
                for file, relative in walk(path, output_paths.paths):
                    if input_filter.takes_file(file, relative):
                        yield Item(path=file, relative=relative, named=False)


def _filtered(items: Iterable[Item], input_filter: InputFilter) -> Iterator[Item]:
    """Drop members of archives that the patterns exclude."""
    for item in items:
        if item.named or input_filter.takes_name(item.relative):
            yield item


def _matching_paths(word: str) -> list[Path]:
    """Return the path that an argument names, or the paths that it matches as a pattern."""
    if is_remote(word):
        return remote_files.matching_paths(word)
    if os.path.lexists(word):
        return [Path(word)]
    found = [Path(match) for match in sorted(matches(word))]
    return found or [Path(word)]


def from_list(
    list_path: str, nul: bool, output_paths: OutputPaths, input_filter: InputFilter
) -> Iterator[Item | None]:
    """Yield the items of a list of paths, one a line or NUL-separated; `-` is standard input.

    None comes where a pipe has no further path yet. An item's name keeps the folders of its path,
    without a leading root or `..`. Paths in `output_paths` are left out.

    Raises:
        InputError: The list cannot be read.
    """
    for word in read_paths(list_path, nul):
        if word is None:
            yield None
            continue
        path = open_path(word)
        if output_paths.holds(path):
            continue
        parts = [part for part in path.parts if part not in (path.anchor, "..", ".")]
        yield from _filtered(open_input(path, "/".join(parts)), input_filter)


def are_single_picture(inputs: Sequence[str]) -> bool:
    """Return whether the inputs can only be one picture: no folder, archive or pattern."""
    return len(inputs) == 1 and is_single_picture(inputs[0])


def is_single_picture(word: str) -> bool:
    """Return whether an input can only be one picture: no folder, archive or pattern."""
    if word == STDIN:
        return True
    path = open_path(word)
    head = _head(path)
    if not head and (is_remote(path) or not os.path.lexists(path) or path.is_dir()):
        return False
    return not _holds_more(head, path)


def _holds_more(head: bytes, path: Path) -> bool:
    """Return whether a file is an archive or a dataset."""
    return is_zip(head, path) or is_tar(head, path) or is_compressed(head) or has_pixels(head)


def _from_stdin() -> Item:
    """Return the picture on stdin, named by its digest: another picture is another input."""
    content = sys.stdin.buffer.read(LARGEST + 1)
    digest = hashlib.sha256(content).hexdigest()[:12]
    if len(content) > LARGEST:
        reason = str(too_long(LARGEST).strerror)
        return BrokenItem(
            path=Path(STDIN), relative="stdin", named=True, inner=digest, reason=reason
        )
    return ContentItem(
        path=Path(STDIN), relative="stdin", named=True, inner=digest, read=lambda: content
    )


def open_input(path: Path, relative: str) -> Iterator[Item]:
    """Return a file that the user named as one item, or as the items that it contains."""
    head = _head(path)
    if _holds_more(head, path):
        parts = from_zip(path) if is_zip(head, path) else from_tar_or_csv(path)
        return remote_files.with_stamp(parts, path) if is_remote(path) else parts
    if is_remote(path):
        return iter([remote_files.from_file(path, relative)])
    item = Item(path=path, relative=relative, named=True)
    return iter([_pipe_item(item) if is_pipe(path) else item])


def _pipe_item(item: Item) -> ContentItem:
    """Return a named pipe as an item whose content `fetch` reads, as it can be read only once."""

    def read() -> bytes:
        try:
            return read_pipe(item.path, LARGEST)
        except OSError as error:
            raise MemberError(error.strerror or str(error)) from None

    return ContentItem(path=item.path, relative=item.relative, named=True, read=read)


def _head(path: Path) -> bytes:
    """Return a file's first bytes, or none if it is no ordinary file or cannot be read."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""
