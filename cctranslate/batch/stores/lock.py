"""Lock an output folder in a store, which has no locks, by an object that only one run can create.

Its owner rewrites it twice a minute. An object that was not rewritten for three minutes, or whose
process on this machine is gone, is the remains of a kill.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cctranslate.errors import BusyError
from cctranslate.files import remote
from cctranslate.files.writing import unwritable
from cctranslate.folder_lock import LOCK

_EVERY, _STALE = 30, 180
"""Seconds between writes, and seconds after which the owner counts as killed."""


@contextmanager
def hold(store: Path) -> Iterator[None]:
    """Keep other runs out of a folder in a store.

    Raises:
        BusyError: Another run holds the lock.
        OutputError: It cannot be written, or the store cannot refuse to replace an object.
    """
    path = store / LOCK
    try:
        try:
            remote.write_new(path, _content())
        except FileExistsError:
            holder = _holder(path)
            if holder:
                raise BusyError(
                    f"{store}: another run is writing there ({holder}): wait for it, or name "
                    "another --out"
                ) from None
            remote.write_new(path, _content(), replaces=True)
    except OSError as error:
        raise unwritable(path, error) from None
    ended = threading.Event()
    beat = threading.Thread(target=_beat, args=(path, ended), daemon=True)
    beat.start()
    try:
        yield
    finally:
        ended.set()
        beat.join()
        with suppress(OSError), remote.errors_of(path):
            path.unlink()


def _content() -> bytes:
    facts = {"host": socket.gethostname(), "process": os.getpid(), "time": time.time()}
    return json.dumps(facts).encode()


def _beat(path: Path, ended: threading.Event) -> None:
    while not ended.wait(_EVERY):
        with suppress(OSError):  # the next write may succeed
            remote.write_new(path, _content(), replaces=True)


def _holder(path: Path) -> str | None:
    """Return a description of a lock's owner; None if the owner was killed."""
    try:
        facts = json.loads(remote.read(path))
        host, process, written = str(facts["host"]), int(facts["process"]), float(facts["time"])
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, TypeError):
        return "an unknown process"
    if time.time() - written > _STALE or (host == socket.gethostname() and not _runs(process)):
        return None
    return f"process {process} on {host}"


def _runs(process: int) -> bool:
    if os.name == "nt":  # where this would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
