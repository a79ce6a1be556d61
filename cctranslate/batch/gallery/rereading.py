"""Read once more what a report names."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cctranslate.batch.inputs.items import Item, Member
from cctranslate.batch.inputs.sources import open_named
from cctranslate.batch.stores.prefetching import fetched
from cctranslate.batch.stores.remote_files import RemoteFile
from cctranslate.remote import is_remote, open_path


def reread_items(sources: Iterable[str]) -> Iterator[Item]:
    """Yield the items that the report calls `sources`, in any order, without those that are gone.

    Archives and datasets are read once more from their beginning, as far as need be.
    """
    missing = set(sources)
    for source in sorted(missing):
        if os.path.isfile(source):  # noqa: PTH113
            missing.remove(source)
            yield Item(path=Path(source), relative=source, named=True)
    for item in fetched(map(_remote, sorted(filter(is_remote, missing)))):
        if isinstance(item, Member):
            missing.remove(item.source)
            yield item
    for file in sorted({part for source in missing for part in _files(source)}):
        wanted = {source for source in missing if source.startswith(f"{file}:")}
        for item in open_named(Path(file), file):
            if item.source in wanted:
                wanted.remove(item.source)
                yield item.fetch()
            if not wanted:
                break


def _remote(source: str) -> RemoteFile:
    return RemoteFile(path=open_path(source), relative=source, named=True)


def _files(source: str) -> Iterator[str]:
    """Yield the files that `source` may be a member of: both names may hold colons."""
    for end, letter in enumerate(source):
        # Where Path.is_file raises on a name that no file could have, this says no.
        if letter == ":" and os.path.isfile(source[:end]):  # noqa: PTH113
            yield source[:end]
