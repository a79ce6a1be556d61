"""Divide a call's inputs into blocks that can be translated in any order, on any machine.

Two inputs may compete for a name, which goes to the first of them that is a picture. Inputs that
could compete go into one block, in their order, so that names do not depend on the order of blocks.
Blocks follow a hash of the name, which also spreads large pictures.
"""

import pickle
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO

from cctranslate.batch.inputs.remote_files import RemoteFile
from cctranslate.batch.items import Item
from cctranslate.batch.outputs.layout import Layout, Names, name_group
from cctranslate.batch.runners.blocks.plan_files import write_block
from cctranslate.batch.runners.blocks.work_folder import WorkFolder, unpickled
from cctranslate.batch.stages import bounds
from cctranslate.files.writing import unwritable

BLOCK_RESULTS = 16_384
"""Results of a full block: with small faces, about twenty seconds of a core."""
BLOCK_BYTES = 64 << 20
"""Bytes of the inputs of a block, roughly."""
_SPOOLS = 256
"""Files into which inputs are sorted first: one for each first byte of a hash."""
_SAMPLED = 64
"""The size of one in this many inputs is sampled."""
Record = tuple[bytes, int, str, Item]
"""The hash of an input's name, its number, its name and the input."""


class Planner:
    """Writes the blocks of a plan."""

    def __init__(self, folder: WorkFolder, layout: Layout, names: Names) -> None:
        """Plan into a folder; `names` are the reserved names of results."""
        self._folder, self._layout, self._names = folder, layout, names
        self.inputs = self.blocks = 0
        self._sampled = self._bytes = 0

    def write(self, items: Iterable[Item], variants: int, workers: int) -> None:
        """Write blocks of all inputs. An input that is named twice comes once.

        Args:
            items: The inputs, in their order.
            variants: Results of a face.
            workers: Workers that are to share the blocks.

        Raises:
            OutputError: The plan cannot be written.
        """
        try:
            with self._folder.spool() as spool:
                self._spool(items, spool)
                size = self._block_size(variants, workers)
                for block in _blocks(_groups(spool), size):
                    self._write_block(block)
        except OSError as error:
            raise unwritable(self._folder.path, error) from None

    def _spool(self, items: Iterable[Item], spool: Path) -> None:
        """Sort the inputs roughly, by the first byte of their hash, into files."""
        with ExitStack() as stack:
            files: dict[int, IO[bytes]] = {}
            for item in items:
                fetched = item if isinstance(item, RemoteFile) else item.fetch()
                base = self._layout.base(item.relative)
                digest = name_group(base)
                if digest[0] not in files:
                    path = spool / f"{digest[0]:03}"
                    files[digest[0]] = stack.enter_context(path.open("wb"))
                record: Record = digest, self.inputs, base, fetched
                pickle.dump(record, files[digest[0]], pickle.HIGHEST_PROTOCOL)
                self._sample(fetched)
                self.inputs += 1

    def _sample(self, item: Item) -> None:
        if self.inputs % _SAMPLED == 0:
            self._sampled += 1
            self._bytes += bounds.size(item)

    def _block_size(self, variants: int, workers: int) -> int:
        """Return how many inputs make a block."""
        mean = max(self._bytes // max(self._sampled, 1), 1)
        few = min(BLOCK_RESULTS // variants, BLOCK_BYTES // mean)
        return max(min(few, -(-self.inputs // (4 * workers))), 16)

    def _write_block(self, records: list[Record]) -> None:
        reserved = {name for group in _by_hash(records) for name in self._reserved_names(group)}
        items = sorted(((number, item) for _, number, _, item in records), key=itemgetter(0))
        write_block(self._folder.block(self.blocks), items, sorted(reserved))
        self.blocks += 1

    def _reserved_names(self, group: list[Record]) -> Iterator[str]:
        """Yield the reserved names that the inputs of a group could try."""
        for base in {base for _, _, base, _ in group}:
            yield from self._names.taken_candidates(base, len(group))


def _groups(spool: Path) -> Iterator[list[Record]]:
    """Yield groups of inputs that could compete for a name, and all others one by one."""
    for number in range(_SPOOLS):
        path = spool / f"{number:03}"
        if path.exists():
            records = sorted(unpickled(path), key=itemgetter(0, 1))
            path.unlink()
            for _, group in groupby(records, key=itemgetter(0)):
                yield list(group)


def _blocks(groups: Iterable[list[Record]], size: int) -> Iterator[list[Record]]:
    block: list[Record] = []
    for group in groups:
        block += group
        if len(block) >= size:
            yield block
            block = []
    if block:
        yield block


def _by_hash(records: list[Record]) -> Iterator[list[Record]]:
    return (list(group) for _, group in groupby(records, key=itemgetter(0)))
