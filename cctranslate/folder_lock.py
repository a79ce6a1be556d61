"""One run of `batch` or `fit` at a time in a folder."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from cctranslate.errors import BusyError
from cctranslate.files.writing import unwritable

LOCK = ".run.lock"
"""Hidden, so that no loader of OUT takes it for data. A kill leaves it there, unlocked."""

_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)
"""Errors of file systems that have no locks, as NFS may."""


@contextmanager
def hold(out: Path, echo: Callable[[str], None]) -> Iterator[None]:
    """Create `out` and lock it against other runs; the system frees the lock of a dead process.

    A file system without locks is warned of by `echo`, and the run goes on.

    Raises:
        BusyError: Another run is at work there.
        OutputError: It cannot be written.
    """
    lock = FileLock(out / LOCK, timeout=0)
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise BusyError(
            f"{out}: another run is writing there: wait for it, or name another --out"
        ) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise unwritable(out, error) from None
        echo(f"warning: {out}: its file system has no locks: start no other run there meanwhile")
    try:
        yield
    finally:
        # While it is held: filelock does not take a file that was removed since it was opened.
        # Windows removes no open file; there filelock does so after the release.
        with suppress(OSError):
            (out / LOCK).unlink()
        lock.release()
