"""Read the lists of paths of `--files-from`, piece by piece."""

import os
import select
import stat
import sys
from collections.abc import Iterator
from functools import partial

from cctranslate.errors import InputError
from cctranslate.files.remote import errors_of, is_remote, open_path, unreadable

_PIECE = 1 << 16
"""Bytes that are read at once."""
_LONGEST = 1 << 16
"""Bytes of a path: file systems take under 5,000."""
PATIENCE = 0.05
"""Seconds to wait for a further path, after which those so far are translated."""
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_paths(list_path: str, nul: bool) -> Iterator[str | None]:
    """Yield the paths of a list, without empty ones; None where a pipe has no further path yet.

    Args:
        list_path: The list's file; `-` is standard input.
        nul: Whether paths end in NUL, not in newline.

    Raises:
        InputError: The file cannot be read, or is no list of paths.
    """
    separator = b"\0" if nul else b"\n"
    for raw in _records(list_path, separator):
        if raw is None:
            yield None
            continue
        record = raw if nul else raw.rstrip(b"\r")
        if b"\0" in record:
            raise InputError(
                f"{_name(list_path)}: holds NUL bytes: add -0 if its paths end in them; else it "
                "must be text in UTF-8, a path a line"
            )
        if record:
            yield os.fsdecode(record)


def check_list(list_path: str) -> None:
    """Check that a list on a disk can be opened. Pipes are not opened: they can be read only once.

    Raises:
        InputError: It cannot.
    """
    if list_path == "-" or is_remote(list_path):
        return
    try:
        mode = os.stat(list_path).st_mode  # noqa: PTH116
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            open_path(list_path).open("rb").close()
    except OSError as error:
        raise unreadable(list_path, error) from None


def _records(list_path: str, separator: bytes) -> Iterator[bytes | None]:
    try:
        with errors_of(list_path):
            stream = sys.stdin.buffer if list_path == "-" else open_path(list_path).open("rb")
    except OSError as error:
        raise unreadable(list_path, error) from None
    with stream:
        remote = is_remote(list_path)
        take = stream.read if remote else partial(os.read, stream.fileno())
        rest, piece = b"", take(_PIECE)
        if piece.startswith(_UTF16_MARKS):
            raise InputError(f"{_name(list_path)}: is text in UTF-16: save it as UTF-8")
        piece = piece.removeprefix(_UTF8_MARK)
        while piece:
            *whole, rest = (rest + piece).split(separator)
            yield from whole
            if len(rest) > _LONGEST:
                raise InputError(f"{_name(list_path)}: is no list of paths, one a line")
            if not (remote or _is_ready(stream.fileno())):
                yield None
            piece = take(_PIECE)
        yield rest


def _is_ready(descriptor: int) -> bool:
    """Return whether a read would not wait for long; Windows cannot tell of pipes."""
    return os.name == "nt" or bool(select.select([descriptor], [], [], PATIENCE)[0])


def _name(list_path: str) -> str:
    return "stdin" if list_path == "-" else list_path
