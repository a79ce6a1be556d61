"""Read files of stores ahead, many at once: a request takes longer than translating a face."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from cctranslate.batch.inputs.remote_files import RemoteFile
from cctranslate.batch.items import Item

_REQUESTS = 32
"""Requests at once."""
_MOST_WAITING = 4 * _REQUESTS
"""Most items that are requested ahead, or wait for their turn."""
_MOST_BYTES = 128 << 20
"""Most bytes of content that wait for their turn, by the sizes that the store lists."""


def fetched(items: Iterable[Item | None]) -> Iterator[Item | None]:
    """Yield items with their content, in order. A None is yielded without reading further ahead."""
    waiting: deque[tuple[Future[Item] | Item | None, int]] = deque()
    waiting_bytes = 0
    with ThreadPoolExecutor(_REQUESTS, thread_name_prefix="requests") as pool:
        try:
            for item in items:
                if isinstance(item, RemoteFile):
                    size = item.store_stamp.size if item.store_stamp else 0
                    waiting.append((pool.submit(item.fetch), size))
                    waiting_bytes += size
                else:  # a member of an archive can be read only at its turn
                    waiting.append((item and item.fetch(), 0))
                while waiting and (
                    item is None
                    or not isinstance(waiting[0][0], Future)
                    or waiting_bytes > _MOST_BYTES
                    or len(waiting) > _MOST_WAITING
                ):
                    first, size = waiting.popleft()
                    waiting_bytes -= size
                    yield _result(first)
            for first, _ in waiting:
                yield _result(first)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _result(item: Future[Item] | Item | None) -> Item | None:
    return item.result() if isinstance(item, Future) else item
