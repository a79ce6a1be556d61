"""Threads or processes that decode pictures and finish their results, in chunks and in order."""

import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import Generic, TypeVar

from cctranslate.batch.archives import LARGEST
from cctranslate.batch.faces import Look, Unusable, decode
from cctranslate.batch.item import Item
from cctranslate.batch.outcome import Named, Outcome
from cctranslate.batch.results import Finished, Finisher
from cctranslate.errors import UserError

A = TypeVar("A")
B = TypeVar("B")
CHUNK_SECONDS, LARGEST_CHUNK = 0.02, 64
"""How long a process is to be busy with what it is handed at once, and how many that are at most:
to hand one small picture over takes as long as to decode it."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class WorkersError(UserError):
    """The workers are gone; what has a row is done."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the workers do; a process has its own copy."""

    look: Look
    finisher: Finisher

    def decode(self, pair: tuple[Item, str]) -> Named:
        """A fetched item's faces, and its name."""
        return decode(pair[0], self.look), pair[1]

    def finish(self, outcome: Outcome | Unusable) -> Finished:
        """An input's rows, and what the writer adds."""
        return self.finisher.finish(outcome)


@dataclass(kw_only=True)
class Workers:
    """So many workers, which end with the `with` block."""

    work: Work
    count: int
    processes: bool
    """What they are; else threads."""
    _pool: Executor = field(init=False)

    def __enter__(self) -> "Workers":
        """Get ready; processes start as they are needed."""
        if not self.processes:
            self._pool = ThreadPoolExecutor(self.count)
            return self
        self._pool = ProcessPoolExecutor(
            self.count,
            # A copy by fork would have onnxruntime's locks without its threads.
            multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(self.work,),
        )
        return self

    def __exit__(self, *failure: object) -> None:
        """Wait for what is in hand; what nobody waits for any more is not begun."""
        self._pool.shutdown(cancel_futures=True)

    def decode(
        self, pairs: Iterable[tuple[Item, str]], window: int, most: int = LARGEST
    ) -> Iterator[Named]:
        """Each item's faces; the items are fetched already.

        Raises:
            WorkersError: a process was killed.
        """
        return self._map(Work.decode, pairs, window, lambda pair: pair[0].held, most)

    def finish(
        self, outcomes: Iterable[Outcome | Unusable], window: int, most: int
    ) -> Iterator[Finished]:
        """Each input's rows and content.

        Raises:
            OutputError: results cannot be written at all.
            WorkersError: a process was killed.
        """
        return self._map(Work.finish, outcomes, window, self.work.finisher.weigh, most)

    def _map(
        self,
        task: Callable[[Work, A], B],
        things: Iterable[A],
        window: int,
        weigh: Callable[[A], int],
        most: int,
    ) -> Iterator[B]:
        """`map` for a stream: results in order, `window` of them ahead of the reader.

        Threads take one thing at a time; processes a chunk, and there are two for each of them.
        What `weigh` says that they hold is bounded by `most` bytes; the last may go over that.
        """
        ahead = _Ahead[B](fixed=not self.processes)
        chunk: list[A] = []
        weight = 0
        try:
            for thing in things:
                chunk.append(thing)
                weight += weigh(thing)
                if len(chunk) < ahead.size and ahead.held + weight <= most:
                    continue
                ahead.put(self._submit(task, chunk), len(chunk), weight)
                chunk, weight = [], 0
                while ahead.held > most or (
                    ahead.waiting >= window and len(ahead.chunks) >= 2 * self.count
                ):
                    yield from ahead.take()
            if chunk:
                ahead.put(self._submit(task, chunk), len(chunk), weight)
            while ahead.chunks:
                yield from ahead.take()
        except BrokenProcessPool:
            # The pool asks those that are left to end, which they do not hear.
            for child in multiprocessing.active_children():
                child.kill()
            raise WorkersError(
                "a worker process was killed, as the system does when memory is short: the same "
                "command goes on; give it fewer --workers"
            ) from None
        finally:
            for future, _, _ in ahead.chunks:
                future.cancel()

    def _submit(
        self, task: Callable[[Work, A], B], chunk: list[A]
    ) -> "Future[tuple[list[B], float]]":
        if not self.processes:
            return self._pool.submit(_done, self.work, task, chunk)
        with _unheard():
            return self._pool.submit(_done_by_process, task, chunk)


@dataclass(kw_only=True)
class _Ahead(Generic[B]):
    """Chunks that are in hand, in order, and how many things the next one is to have."""

    fixed: bool
    """Whether that stays one."""
    chunks: deque[tuple[Future[tuple[list[B], float]], int, int]] = field(default_factory=deque)
    waiting: int = 0
    held: int = 0
    size: int = 1

    def put(self, future: Future[tuple[list[B], float]], count: int, weight: int) -> None:
        self.chunks.append((future, count, weight))
        self.waiting, self.held = self.waiting + count, self.held + weight

    def take(self) -> list[B]:
        """What became of the first."""
        future, count, weight = self.chunks.popleft()
        made, seconds = future.result()
        self.waiting, self.held = self.waiting - count, self.held - weight
        if not self.fixed:
            # Small pictures go by the dozen, photographs one by one.
            fitting = int(CHUNK_SECONDS * count / max(seconds, 1e-9))
            self.size = min(max(fitting, 1), 2 * self.size, LARGEST_CHUNK)
        return made


def _done(work: Work, task: Callable[[Work, A], B], chunk: list[A]) -> tuple[list[B], float]:
    """What became of a chunk, and the seconds that it took."""
    started = time.perf_counter()
    made = [task(work, thing) for thing in chunk]
    return made, time.perf_counter() - started


def _done_by_process(task: Callable[[Work, A], B], chunk: list[A]) -> tuple[list[B], float]:
    return _done(_own[0], task, chunk)


_own: list[Work] = []
"""The work of this process, if it is a worker."""


def _begin(work: Work) -> None:
    """Make this process a worker."""
    # They go to all of a terminal or a job, and what is in hand is to be finished.
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    # As the run does itself, on faulty metadata.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    _own.append(work)
    threading.Thread(target=_end_with_the_run, daemon=True).start()


def _end_with_the_run() -> None:
    """No worker outlives a run that was killed: it would write where the next one does."""
    run = multiprocessing.parent_process()
    if run is not None:
        connection.wait([run.sentinel])
        os._exit(1)


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
