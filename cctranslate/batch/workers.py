"""Threads or processes that decode pictures and finish their results, in chunks and in order."""

import multiprocessing
import os
import signal
import threading
import time
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import Any, Generic, TypeVar

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
    _threads: ThreadPoolExecutor = field(init=False)
    """They do the work, or each hands it to a process of its own."""
    _hands: list["_Hand"] = field(default_factory=list)
    _mine: threading.local = field(default_factory=threading.local)

    def __enter__(self) -> "Workers":
        """Get ready; threads and processes start as they are needed."""
        self._threads = ThreadPoolExecutor(self.count)
        return self

    def __exit__(self, *failure: object) -> None:
        """Wait for what is in hand; what nobody waits for any more is not begun."""
        self._threads.shutdown(cancel_futures=True)
        for hand in self._hands:
            hand.close()

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
        finally:
            for future, _, _ in ahead.chunks:
                future.cancel()

    def _submit(
        self, task: Callable[[Work, A], B], chunk: list[A]
    ) -> "Future[tuple[list[B], float]]":
        if self.processes:
            return self._threads.submit(self._hand_over, task, chunk)
        return self._threads.submit(_done, self.work, task, chunk)

    def _hand_over(self, task: Callable[[Work, A], B], chunk: list[A]) -> tuple[list[B], float]:
        """What this thread's process makes of a chunk."""
        if not hasattr(self._mine, "hand"):
            self._mine.hand = _Hand(self.work)
            self._hands.append(self._mine.hand)
        hand: _Hand = self._mine.hand
        return hand.ask(task, chunk)


class _Hand:
    """A process that works for one thread.

    Each has a pipe of its own, whose other end no one else holds: one that is killed is heard of
    as the pipe's end, in the middle of a message, too, where a queue that several write to, as
    those of `concurrent.futures` are, would be waited at for ever.
    """

    def __init__(self, work: Work) -> None:
        # A copy by fork would have onnxruntime's locks without its threads.
        context = multiprocessing.get_context("spawn")
        self._pipe, its = context.Pipe()
        self._process = context.Process(target=_serve, args=(work, its))
        with its, _unheard(), _missed():
            self._process.start()

    def ask(self, task: Callable[[Work, A], B], chunk: list[A]) -> tuple[list[B], float]:
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


def _serve(work: Work, pipe: "connection.Connection[Any, Any]") -> None:
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
                answer: object = _done(work, task, chunk)
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
    except (EOFError, OSError):
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
