"""A worker process driven over a private pipe; its death is detected immediately.

`concurrent.futures` and `multiprocessing.Pool` hang, or lose a task, when a worker is killed while
it holds a lock of the queue that all workers share (python/cpython issues 94777 and 66587). loky
and pebble have such reports, too. Here no two processes share a lock or a pipe.
"""

import errno
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection, resource_tracker
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cctranslate.batch.workers.library_warnings import recorded_warnings
from cctranslate.errors import WorkersError
from cctranslate.process.signals import ENDING_SIGNALS

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

A = TypeVar("A")
B = TypeVar("B")
W = TypeVar("W")
_WORK = ("cctranslate.batch.stages.chunk_translator", "cctranslate.faces.yunet")
_FORMATS = ("Bmp", "Gif", "Jpeg", "Png", "Ppm")
"""Formats that Pillow imports for the first picture."""
_SAFE_PATH = "PYTHONSAFEPATH"
_STARTING = threading.Lock()
"""Held while a process starts: the environment is the same for all threads."""
_FEWEST = 64
"""File descriptors that a fork server of some workers needs."""


def preload() -> None:
    """Import the modules that start processes, while files can still be opened.

    Otherwise they are imported at the first start. If no file can be opened by then, the import
    fails with a misleading error.
    """
    if sys.platform == "win32":
        names = ["popen_spawn_win32"]
    else:
        names = ["popen_spawn_posix", "resource_tracker", "spawn"]
        names += ["forkserver", "popen_forkserver"]
    for name in names:
        importlib.import_module(f"multiprocessing.{name}")


def get_ready() -> None:
    """Start the fork server in the background, if there is one.

    It imports what worker processes need once, while this process does other work.
    """
    _context()


def _context() -> "ForkServerContext | SpawnContext":
    """Return the context that starts processes: on Linux a fork server, elsewhere `spawn`.

    A fork of this process would have onnxruntime's locks without its threads; the server never
    imports it. macOS's system libraries do not support forking.
    """
    if sys.platform == "linux" and not _few_descriptors():
        from multiprocessing import forkserver

        forkserver.set_forkserver_preload(
            ["__main__", *_WORK, *(f"PIL.{form}ImagePlugin" for form in _FORMATS)]
        )
        # Its socket is a file, which may have too long a name, or no room on the disk.
        with suppress(OSError), _safe_start():
            forkserver.ensure_running()
            return multiprocessing.get_context("forkserver")
    return multiprocessing.get_context("spawn")


def _few_descriptors() -> bool:
    """Return whether the fork server may run out of file descriptors, and die with a traceback.

    With a higher limit this process, which needs three for each worker, runs out first.
    """
    import resource

    return 0 <= resource.getrlimit(resource.RLIMIT_NOFILE)[0] < _FEWEST


class WorkerProcess(Generic[W]):
    """A process with a copy of `work` that runs one task after the other.

    No other process holds the other end of its pipe. So its death ends the pipe, even in the middle
    of a message.
    """

    def __init__(self, work: W) -> None:
        with _death_explained():
            context = _context()
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(work, theirs))
            with theirs, _safe_start():
                self._process.start()

    def call(self, task: Callable[[W, A], B], argument: A) -> B:
        """Return the task's result for the argument, computed in the process.

        Raises:
            Exception: The task raised it.
            WorkersError: The process is gone.
        """
        with _death_explained():
            self._pipe.send((task, argument))
            failed, answer, warned = self._pipe.recv()
        for text in warned:
            warnings.warn(text, stacklevel=2)
        if failed:
            raise answer
        result: B = answer
        return result

    def close(self) -> None:
        """Let the process end."""
        self._pipe.close()

    def join(self) -> None:
        """Wait for the end of the process, which was closed."""
        self._process.join()


def _serve(work: object, pipe: "connection.Connection[Any, Any]") -> None:
    """Run tasks until the pipe ends."""
    # Signals go to all processes of a terminal or a job, but the task in progress must finish.
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_run, daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            task, argument = pipe.recv()
            with recorded_warnings() as warned:
                try:
                    answer: tuple[bool, object] = False, task(work, argument)
                except Exception as failure:
                    failure.add_note(traceback.format_exc())
                    answer = True, failure
            pipe.send((*answer, warned))


def _end_with_the_run() -> None:
    """End when the run is killed: otherwise this worker would write beside the next run."""
    run = multiprocessing.parent_process()
    if run is not None:
        connection.wait([run.sentinel])
        os._exit(1)


@contextmanager
def _death_explained() -> Iterator[None]:
    """Turn the errors of a dead worker into a WorkersError with its likely cause."""
    try:
        yield
    except (EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            raise WorkersError(
                f"a worker process cannot be started: {error.strerror}: give it fewer --workers, "
                "or allow more (ulimit -n); the same command goes on"
            ) from None
        raise WorkersError(
            "a worker process was killed, as the system does when memory is short: the same "
            "command goes on; give it fewer --workers"
        ) from None


@contextmanager
def _safe_start() -> Iterator[None]:
    """Block signals while a process starts, and keep it from importing from the working directory.

    A process that starts does not ignore signals yet. And Python would take a `random.py` in the
    working directory, which may be a folder of other people's files, for the module of that name.
    """
    blocks = hasattr(signal, "pthread_sigmask")  # not on Windows
    with _STARTING:
        previous_mask = None
        safe_path = os.environ.get(_SAFE_PATH)
        os.environ[_SAFE_PATH] = "1"
        try:
            if blocks:
                # Where it is not running, the first start would start it, and unblock signals.
                resource_tracker.ensure_running()
                previous_mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
            yield
        finally:
            if safe_path is None:
                del os.environ[_SAFE_PATH]
            else:
                os.environ[_SAFE_PATH] = safe_path
            if previous_mask is not None:
                signal.pthread_sigmask(signal.SIG_SETMASK, previous_mask)
