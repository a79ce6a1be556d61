"""Map a task over threads or processes, in order and with a bound on what is in flight."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Self, TypeVar

from cctranslate.batch.workers.worker_process import WorkerProcess, get_ready, preload

A = TypeVar("A")
B = TypeVar("B")
W = TypeVar("W")


class OrderedPool(Generic[W]):
    """Threads or processes that run tasks; they end with the `with` block."""

    def __init__(self, work: W, count: int, processes: bool, threads_first: int = 0) -> None:
        """Prepare the pool; threads and processes start when they are needed.

        Args:
            work: The first argument of every task. Each process gets a copy.
            count: Number of threads or processes.
            processes: Whether tasks run in processes, each driven by a thread.
            threads_first: Tasks that threads run before any process starts: starting one takes
                longer than a short run.
        """
        self.work, self.count = work, count
        self._processes = processes
        self._threads_first = threads_first
        self._ready_at = (threads_first - 1) // 2
        self._threads = ThreadPoolExecutor(count)
        self._idle: list[WorkerProcess[W]] = []
        if processes:
            preload()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        """Wait for the tasks in progress; those that have not begun are dropped."""
        self._threads.shutdown(cancel_futures=True)
        for process in self._idle:
            process.close()
        for process in self._idle:
            process.join()

    def map(
        self,
        task: Callable[[W, A], B],
        arguments: Iterable[A | None],
        *,
        weigh: Callable[[A], int],
        max_weight: int,
        enough: Callable[[], bool] = lambda: False,
    ) -> Iterator[B | None]:
        """Yield the task's result for each argument, in their order.

        At most two arguments for each worker are in flight, and no further one is taken while they
        weigh more than `max_weight` bytes together. At a None all results in flight are yielded,
        then the None, before a further argument is taken. Once there is `enough`, no further
        argument is taken, and only tasks that have started are finished and yielded.

        Raises:
            Exception: A task raised it; tasks that have not started are dropped.
            WorkersError: A process was killed.
        """
        in_flight: deque[tuple[Future[B], int]] = deque()
        weight_in_flight = 0
        try:
            for argument in _until(enough, arguments):
                if argument is None:
                    while in_flight:
                        future, weight = in_flight.popleft()
                        weight_in_flight -= weight
                        yield future.result()
                    yield None
                    continue
                weight = weigh(argument)
                in_flight.append((self._submit(task, argument), weight))
                weight_in_flight += weight
                while in_flight and (
                    len(in_flight) >= 2 * self.count or weight_in_flight > max_weight
                ):
                    future, weight = in_flight.popleft()
                    result = future.result()
                    weight_in_flight -= weight
                    yield result
            while in_flight:
                # From the last one: tasks start in order, so no result is missing between others.
                while in_flight and enough() and in_flight[-1][0].cancel():
                    in_flight.pop()
                if in_flight:
                    yield in_flight.popleft()[0].result()
        finally:
            for future, _ in in_flight:
                future.cancel()

    def _submit(self, task: Callable[[W, A], B], argument: A) -> "Future[B]":
        self._threads_first -= 1
        if self._processes and self._threads_first == self._ready_at:
            get_ready()
        if self._processes and self._threads_first < 0:
            return self._threads.submit(self._call, task, argument)
        return self._threads.submit(task, self.work, argument)

    def _call(self, task: Callable[[W, A], B], argument: A) -> B:
        try:
            process = self._idle.pop()
        except IndexError:
            process = WorkerProcess(self.work)
        try:
            return process.call(task, argument)
        finally:
            self._idle.append(process)


def _until(enough: Callable[[], bool], arguments: Iterable[A | None]) -> Iterator[A | None]:
    """Yield the arguments until there is enough; then not even the next one is made."""
    following = iter(arguments)
    while not enough():
        try:
            argument = next(following)
        except StopIteration:
            return
        yield argument
