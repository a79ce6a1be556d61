"""Names of results for chunks that are done side by side.

Two inputs may want one name, and the first that turns out to be a picture gets it: which is known
once it was decoded. So a chunk is not begun while another one is in flight that it could meet.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

from cctranslate.batch.inputs.items import Item
from cctranslate.batch.outputs.layout import Layout, Names, name_group
from cctranslate.batch.stages.chunks import FinishedChunk, ItemChunk


class ChunkNames:
    """Lets workers give names to the inputs of their chunks, and takes the names up."""

    def __init__(self, names: Names, layout: Layout) -> None:
        """Take the names that earlier calls gave to results."""
        self._names, self._layout = names, layout
        self._next: list[tuple[str, bytes]] = []
        """The base and the group of each input of the chunk that comes next."""
        self._in_flight: deque[set[bytes]] = deque()

    def apart(self, items: Iterable[Item | None]) -> Iterator[Item | None]:
        """Return the items; a None, at which all chunks are finished, before one that waits."""
        for item in items:
            if item is not None:
                base = self._layout.base(item.relative)
                group = name_group(base)
                if any(group in groups for groups in self._in_flight):
                    yield None
                self._next.append((base, group))
            yield item

    def begun(self, chunks: Iterable[ItemChunk | None]) -> Iterator[ItemChunk | None]:
        """Return the chunks with the taken names that matter to them."""
        for chunk in chunks:
            if chunk is None:
                yield None
                continue
            bases, groups = dict(self._next), Counter(group for _, group in self._next)
            self._next = []
            self._in_flight.append(set(groups))
            taken = {
                name
                for base, group in bases.items()
                for name in self._names.in_the_way(base, groups[group])
            }
            yield replace(chunk, taken=tuple(sorted(taken)))

    def finished(self, chunks: Iterable[FinishedChunk | None]) -> Iterator[FinishedChunk | None]:
        """Return the chunks, and know the names that their inputs got."""
        for chunk in chunks:
            if chunk is not None:
                self._in_flight.popleft()
                for name in chunk.names:
                    self._names.take(name)
            yield chunk
