"""One run at a time in one OUT, by a lock that the system takes back when its holder dies."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cctranslate.errors import BusyError
from cctranslate.files import unwritable

if sys.platform == "win32":
    import msvcrt

    def _take(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


LOCK = ".run.lock"
"""Hidden, so that no loader of OUT takes it for anything. A kill leaves it there, unlocked."""


@contextmanager
def hold(out: Path) -> Iterator[None]:
    """Make `out` and keep other runs out of it.

    Raises:
        BusyError: another run is at work there.
        OutputError: it cannot be written.
    """
    path = out / LOCK
    try:
        out.mkdir(parents=True, exist_ok=True)
        file = _locked(path)
    except OSError as error:
        raise unwritable(out, error) from None
    try:
        yield
    finally:
        if sys.platform == "win32":
            os.close(file)
        # Windows removes no file that is open, elsewhere no other run may come in between.
        with suppress(OSError):
            path.unlink()
        if sys.platform != "win32":
            os.close(file)


def _locked(path: Path) -> int:
    """A descriptor of the file that stands at `path`, locked."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _take(file)
            if os.path.samestat(os.fstat(file), path.stat()):
                return file
        except (BlockingIOError, PermissionError):
            os.close(file)
            raise BusyError(
                f"{path.parent}: another run is writing there: wait for it, or name another --out"
            ) from None
        except FileNotFoundError:
            pass  # as below
        except BaseException:
            os.close(file)
            raise
        # Whoever held it removed it between our opening and locking it: lock what comes next.
        os.close(file)
