"""Name the results of chunks that are processed in parallel.

Two inputs may compete for a name, which goes to the first of them that can be decoded. So a chunk
waits while another chunk is in flight whose inputs could compete with its inputs.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from cctranslate.batch.items import Item
from cctranslate.batch.outputs.layout import Layout, Names, name_group
from cctranslate.batch.stages.bounds import LARGEST_CHUNK
from cctranslate.batch.stages.chunks import FinishedChunk, ItemChunk


class ChunkNames:
    """Tells workers which names are reserved, and reserves the names that they give."""

    def __init__(self, names: Names, layout: Layout) -> None:
        """Begin with the names that earlier calls gave to results."""
        self._names, self._layout = names, layout
        self._in_flight: deque[set[bytes]] = deque()
        # A chunk's inputs are looked at when it is made, and when it begins.
        self._named = lru_cache(4 * LARGEST_CHUNK)(self._base_and_group)

    def group(self, item: Item) -> bytes:
        """Return a key that is equal for inputs that could compete for a name."""
        return self._named(item.relative)[1]

    def _base_and_group(self, relative: str) -> tuple[str, bytes]:
        base = self._layout.base(relative)
        return base, name_group(base)

    def with_reserved_names(self, chunks: Iterable[ItemChunk | None]) -> Iterator[ItemChunk | None]:
        """Yield the chunks with the reserved names that matter to them.

        Before a chunk that has to wait a None is yielded, at which all chunks in flight finish.
        """
        for chunk in chunks:
            if chunk is None:
                yield None
                continue
            bases = dict(self._named(item.relative) for item in chunk.items)
            groups = Counter(self._named(item.relative)[1] for item in chunk.items)
            if any(not groups.keys().isdisjoint(others) for others in self._in_flight):
                yield None
            self._in_flight.append(set(groups))
            reserved = {
                name
                for base, group in bases.items()
                for name in self._names.taken_candidates(base, groups[group])
            }
            yield replace(chunk, reserved=tuple(sorted(reserved)))

    def finished(self, chunks: Iterable[FinishedChunk | None]) -> Iterator[FinishedChunk | None]:
        """Yield the chunks, and reserve the names of their results."""
        for chunk in chunks:
            if chunk is not None:
                self._in_flight.popleft()
                for name in chunk.names:
                    self._names.add(name)
            yield chunk
