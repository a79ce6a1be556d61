"""Read files of stores ahead, many at once: each request takes longer than a face's translation."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from cctranslate.batch.inputs.items import Item
from cctranslate.batch.stores.remote_files import RemoteFile

_REQUESTS = 32
_MOST_WAITING = 4 * _REQUESTS
_MOST_BYTES = 128 << 20
"""Bytes of content that may wait for its turn, by what the store tells of the sizes."""


def fetched(items: Iterable[Item | None]) -> Iterator[Item | None]:
    """Return items with what has to be read of them, in their order; None as soon as it comes."""
    waiting: deque[tuple[Future[Item] | Item | None, int]] = deque()
    held = 0
    with ThreadPoolExecutor(_REQUESTS, thread_name_prefix="requests") as pool:
        try:
            for item in items:
                if isinstance(item, RemoteFile):
                    size = item.store_stamp.size if item.store_stamp else 0
                    waiting.append((pool.submit(item.fetch), size))
                    held += size
                else:  # what an archive holds can be read at its turn only
                    waiting.append((item and item.fetch(), 0))
                while waiting and (
                    item is None
                    or not isinstance(waiting[0][0], Future)
                    or held > _MOST_BYTES
                    or len(waiting) > _MOST_WAITING
                ):
                    first, size = waiting.popleft()
                    held -= size
                    yield _result(first)
            for first, _ in waiting:
                yield _result(first)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _result(item: Future[Item] | Item | None) -> Item | None:
    return item.result() if isinstance(item, Future) else item
