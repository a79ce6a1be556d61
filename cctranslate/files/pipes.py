"""Read named pipes and devices: once, from beginning to end, and so that signals are heard."""

import errno
import io
import select
import stat
from collections.abc import Iterator
from pathlib import Path

_PIECE = 1 << 20
_TURN = 0.2
"""Bytes that are read at once, and seconds until a silent pipe is looked at again."""


def is_pipe(path: Path) -> bool:
    """Return whether a path is a named pipe or a device that can be read only once."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def read_pipe(path: Path, most: int) -> bytes:
    """Return what comes through a named pipe or a device.

    Raises:
        OSError: It cannot be read, or gives more than `most` bytes.
    """
    with path.open("rb", buffering=0) as pipe:
        content = b"".join(_pieces(pipe, most))
    if len(content) > most:
        raise too_long(most)
    return content


def too_long(most: int) -> OSError:
    """Return the error of a stream of more than `most` bytes."""
    return OSError(errno.EFBIG, f"more than {most >> 20} MiB through a pipe: save it as a file")


def _pieces(pipe: io.FileIO, most: int) -> Iterator[bytes]:
    """Yield what comes, up to a little more than `most` bytes."""
    size = 0
    while size <= most:
        # A signal that comes just before a read does not end it: wait in short turns, between
        # which Python sees signals.
        while not select.select([pipe], [], [], _TURN)[0]:
            pass
        piece = pipe.read(_PIECE)
        if not piece:
            return
        size += len(piece)
        yield piece
