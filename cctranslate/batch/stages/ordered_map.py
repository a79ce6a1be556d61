"""Threads or processes that decode pictures and finish their results, in chunks and in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from cctranslate.batch.inputs.archives import LARGEST
from cctranslate.batch.inputs.decoding import Decoded, Look, Unusable, decode
from cctranslate.batch.inputs.items import Item
from cctranslate.batch.stages.render import Finished, ResultRenderer
from cctranslate.batch.stages.translate import TranslatedPicture
from cctranslate.batch.stages.worker_process import Hand, done

A = TypeVar("A")
B = TypeVar("B")
CHUNK_SECONDS, LARGEST_CHUNK = 0.02, 64
"""How long a process is to be busy with what it is handed at once, and how many that are at most:
to hand one small picture over takes as long as to decode it."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the workers do; a process has its own copy."""

    look: Look
    renderer: ResultRenderer

    def decode(self, item: Item) -> Decoded | Unusable:
        """Return a fetched item's faces."""
        return decode(item, self.look)

    def finish(self, picture: TranslatedPicture | Unusable) -> Finished:
        """An input's rows, and what the writer adds."""
        return self.renderer.finish(picture)


@dataclass(kw_only=True)
class Workers:
    """So many workers, which end with the `with` block."""

    work: Work
    count: int
    processes: bool
    """What they are; else threads."""
    _threads: ThreadPoolExecutor = field(init=False)
    """They do the work, or hand it to as many processes."""
    _idle: list[Hand[Work]] = field(default_factory=list)
    """Processes with nothing to do."""

    def __enter__(self) -> "Workers":
        """Get ready; threads and processes start as they are needed."""
        self._threads = ThreadPoolExecutor(self.count)
        return self

    def __exit__(self, *failure: object) -> None:
        """Wait for what is in hand; what nobody waits for any more is not begun."""
        self._threads.shutdown(cancel_futures=True)
        for hand in self._idle:
            hand.close()

    def decode(
        self, items: Iterable[Item], window: int, most: int = LARGEST
    ) -> Iterator[Decoded | Unusable]:
        """Each item's faces; the items are fetched already.

        Raises:
            WorkersError: a process was killed.
        """
        return self._map(Work.decode, items, window, lambda item: item.held, most)

    def finish(
        self, pictures: Iterable[TranslatedPicture | Unusable], window: int, most: int
    ) -> Iterator[Finished]:
        """Each input's rows and content.

        Raises:
            OutputError: results cannot be written at all.
            WorkersError: a process was killed.
        """
        return self._map(Work.finish, pictures, window, self.work.renderer.weigh, most)

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
        return self._threads.submit(done, self.work, task, chunk)

    def _hand_over(self, task: Callable[[Work, A], B], chunk: list[A]) -> tuple[list[B], float]:
        """What a process makes of a chunk."""
        try:
            hand = self._idle.pop()
        except IndexError:
            hand = Hand(self.work)
        try:
            return hand.ask(task, chunk)
        finally:
            self._idle.append(hand)


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
