"""A process that works for one thread at a time, and is missed at once when it is killed."""

import errno
import multiprocessing
import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection
from typing import Any, Generic, TypeVar

from cctranslate.errors import WorkersError

A = TypeVar("A")
B = TypeVar("B")
W = TypeVar("W")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Hand(Generic[W]):
    """A process that knows its work, and is handed chunks of it by one thread at a time.

    Each has a pipe of its own, whose other end no one else holds: one that is killed is heard of
    as the pipe's end, in the middle of a message, too, where a queue that several write to, as
    those of `concurrent.futures` are, would be waited at for ever.
    """

    def __init__(self, work: W) -> None:
        # A copy by fork would have onnxruntime's locks without its threads.
        context = multiprocessing.get_context("spawn")
        self._pipe, its = context.Pipe()
        self._process = context.Process(target=_serve, args=(work, its))
        with its, _unheard(), _missed():
            self._process.start()

    def ask(self, task: Callable[[W, A], B], chunk: list[A]) -> tuple[list[B], float]:
        """What it makes of a chunk, and the seconds that takes.

        Raises:
            Exception: what the task raises.
            WorkersError: it is gone.
        """
        with _missed():
            self._pipe.send((task, chunk))
            answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        made: tuple[list[B], float] = answer
        return made

    def close(self) -> None:
        """Let it end, and wait for that."""
        self._pipe.close()
        self._process.join()


def done(work: W, task: Callable[[W, A], B], chunk: list[A]) -> tuple[list[B], float]:
    """What became of a chunk, and the seconds that it took."""
    started = time.perf_counter()
    made = [task(work, thing) for thing in chunk]
    return made, time.perf_counter() - started


def _serve(work: object, pipe: "connection.Connection[Any, Any]") -> None:
    """What a worker process does until nobody asks any more."""
    # They go to all of a terminal or a job, and what is in hand is to be finished.
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    # As the run does itself, on faulty metadata.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    threading.Thread(target=_end_with_the_run, daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            task, chunk = pipe.recv()
            try:
                answer: object = done(work, task, chunk)
            except Exception as failure:
                failure.add_note(traceback.format_exc())
                answer = failure
            pipe.send(answer)


def _end_with_the_run() -> None:
    """No worker outlives a run that was killed: it would write where the next one does."""
    run = multiprocessing.parent_process()
    if run is not None:
        connection.wait([run.sentinel])
        os._exit(1)


@contextmanager
def _missed() -> Iterator[None]:
    """Say of a worker that is gone why that may be."""
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
def _unheard() -> Iterator[None]:
    """Keep signals from processes that are starting: they have not learned to ignore them yet."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
