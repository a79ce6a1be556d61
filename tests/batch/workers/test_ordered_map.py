"""The ordered map by itself, with plain functions."""

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from cctranslate.batch.workers.ordered_map import OrderedPool
from cctranslate.errors import WorkersError

BOTH = pytest.mark.parametrize("processes", [False, True], ids=["threads", "processes"])


def scaled(factor: int, number: int) -> int:
    time.sleep(0.002 * (number % 3))
    return factor * number


def failing(factor: int, number: int) -> int:
    if number == 5:
        raise ValueError("five")
    return factor * number


def dying(factor: int, number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return factor * number


def nothing(_: int) -> int:
    return 0


def weight(number: int) -> int:
    return number


@BOTH
def test_results_come_in_order(processes: bool) -> None:
    with OrderedPool(10, 3, processes) as pool:
        assert list(pool.map(scaled, range(40), weigh=nothing, max_weight=0)) == list(
            range(0, 400, 10)
        )
        assert list(pool.map(scaled, [], weigh=nothing, max_weight=0)) == []


@BOTH
def test_once_there_is_enough_only_what_was_begun_comes(processes: bool) -> None:
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(40):
            taken.append(number)
            yield number

    results: list[int] = []
    with OrderedPool(10, 2, processes) as pool:
        for result in pool.map(
            scaled, numbers(), weigh=nothing, max_weight=0, enough=lambda: len(results) >= 5
        ):
            assert result is not None
            results.append(result)
    assert 5 <= len(results) <= 5 + pool.count + 1
    assert results == [10 * number for number in range(len(results))], "none between is left out"
    assert len(taken) <= 5 + 2 * pool.count
    with OrderedPool(10, 2, processes) as pool:
        mapped = pool.map(scaled, numbers(), weigh=nothing, max_weight=0, enough=lambda: True)
        assert list(mapped) == []


@BOTH
def test_two_maps_share_the_workers(processes: bool) -> None:
    with OrderedPool(2, 2, processes) as pool:
        once = pool.map(scaled, range(30), weigh=nothing, max_weight=0)
        assert list(pool.map(scaled, once, weigh=nothing, max_weight=0)) == list(range(0, 120, 4))


@BOTH
def test_all_results_come_before_a_wait(processes: bool) -> None:
    results: list[int | None] = []

    def numbers() -> Iterator[int | None]:
        yield from (1, 2)
        yield None
        assert results == [10, 20, None]
        yield 3

    with OrderedPool(10, 3, processes) as pool:
        for result in pool.map(scaled, numbers(), weigh=nothing, max_weight=0):
            results.append(result)
    assert results == [10, 20, None, 30]


def test_no_more_is_taken_than_two_for_each_worker() -> None:
    taken, given = [], 0

    def numbers() -> Iterator[int]:
        for number in range(50):
            taken.append(number)
            yield number

    with OrderedPool(1, 3, processes=False) as pool:
        for _ in pool.map(scaled, numbers(), weigh=nothing, max_weight=0):
            given += 1
            assert len(taken) - given <= 2 * 3


def test_weight_bounds_what_is_in_flight() -> None:
    busy, most = [], []
    lock = threading.Lock()

    def task(_: int, number: int) -> int:
        with lock:
            busy.append(number)
            most.append(sum(busy))
        time.sleep(0.002)
        with lock:
            busy.remove(number)
        return number

    numbers = [1, 1, 8, 1, 9, 1, 1, 1, 1, 30, 1, 1]
    with OrderedPool(0, 4, processes=False) as pool:
        assert list(pool.map(task, numbers, weigh=weight, max_weight=10)) == numbers
    assert max(most) <= 10 + 30, "the last one may go over the bound"
    assert len(most) == len(numbers)


def process_id(_: int, number: int) -> int:
    return os.getpid()


def test_a_short_run_starts_no_process() -> None:
    with OrderedPool(0, 2, processes=True, threads_first=5) as pool:
        done_by = list(pool.map(process_id, range(9), weigh=nothing, max_weight=0))
    assert done_by[:5] == [os.getpid()] * 5
    assert os.getpid() not in done_by[5:]


@BOTH
def test_what_a_task_raises_comes_out_where_its_result_would(processes: bool) -> None:
    with OrderedPool(1, 2, processes) as pool:
        results = pool.map(failing, range(9), weigh=nothing, max_weight=0)
        assert [next(results) for _ in range(5)] == list(range(5))
        with pytest.raises(ValueError, match="five"):
            next(results)
        assert list(pool.map(failing, range(3), weigh=nothing, max_weight=0)) == [0, 1, 2]


@pytest.mark.skipif(os.name == "nt", reason="no such signal there")
def test_a_killed_process_is_an_error_and_no_wait() -> None:
    with OrderedPool(1, 2, processes=True) as pool:
        results = pool.map(dying, range(9), weigh=nothing, max_weight=0)
        with pytest.raises(WorkersError, match="a worker process was killed"):
            list(results)
