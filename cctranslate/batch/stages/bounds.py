"""Bounds on how many inputs go to a worker at once, and how many are in memory at once.

Bounds are in bytes, so that photographs of any size can be processed in parallel.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from cctranslate.batch.items import BrokenItem, Item
from cctranslate.batch.stages.chunks import ItemChunk

EXPANSION = 24
"""Bytes of memory that decoding takes for each byte of a file. A JPEG of 8 MB has some 19
megapixels, which take ten bytes each in Pillow, numpy and OpenCV together."""
LEAST = 256 << 20
"""Least bytes of a stage's budget, on a machine with little memory."""
_CGROUP = Path("/sys/fs/cgroup/memory.max")
CHUNK_SECONDS, LARGEST_CHUNK = 0.02, 64
"""Seconds that a worker should take for a chunk, and the most inputs of a chunk."""
WHOLE_SECONDS = 0.25
"""Seconds for a chunk where a worker does all stages: models are faster with dozens of faces."""
HEAVY = 16 << 20
"""Bytes at which a chunk is full."""


class Chunker:
    """Groups items into chunks: dozens of small pictures, or a single photograph."""

    def __init__(
        self,
        weigh: Callable[[Item], int],
        seconds: float = CHUNK_SECONDS,
        group: Callable[[Item], object] = id,
    ) -> None:
        """Start with chunks of one item.

        Args:
            weigh: Returns the bytes of memory that an item takes.
            seconds: How long a worker should take for a chunk.
            group: Returns a key. Neighbors with an equal key go into one chunk.
        """
        self._weigh, self._seconds, self._group = weigh, seconds, group
        self._size = 1

    def chunks(self, items: Iterable[Item | None]) -> Iterator[ItemChunk | None]:
        """Yield the items in chunks. A None among them ends a chunk, and is yielded after it."""
        chunk: list[Item] = []
        weight = 0
        last: object = None
        for item in items:
            group = None if item is None else self._group(item)
            is_full = len(chunk) >= self._size or weight > HEAVY
            if chunk and (item is None or (is_full and not self._belongs(group, last, chunk))):
                yield ItemChunk(items=chunk, weight=weight)
                chunk, weight = [], 0
            if item is None:
                yield None
                continue
            chunk.append(item)
            weight += self._weigh(item)
            last = group
        if chunk:
            yield ItemChunk(items=chunk, weight=weight)

    def _belongs(self, group: object, last: object, chunk: list[Item]) -> bool:
        return group == last and len(chunk) < 2 * LARGEST_CHUNK

    def learn(self, count: int, seconds: float) -> None:
        """Adapt the size of the next chunks to the time that one took."""
        fitting = int(self._seconds * count / max(seconds, 1e-9))
        self._size = min(max(fitting, 1), 2 * self._size, LARGEST_CHUNK)


def budget() -> int:
    """Return the bytes that inputs in one stage may take: a quarter of the machine's memory."""
    limits = [_physical(), _container()]
    return max(min(limit for limit in limits if limit) // 4, LEAST) if any(limits) else LEAST


def weigh(item: Item) -> int:
    """Return roughly the bytes of memory that a fetched item takes while it is decoded."""
    return EXPANSION * size(item)


def size(item: Item) -> int:
    """Return the bytes of an item's content or file; 0 if it is no ordinary file."""
    if item.held_bytes or item.inner or isinstance(item, BrokenItem):
        return item.held_bytes
    stamp = item.stamp
    return stamp.size if stamp else 0


def _physical() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0


def _container() -> int:
    """Return the limit of a container or a job, 0 if there is none."""
    try:
        text = _CGROUP.read_text(encoding="ascii").strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0
