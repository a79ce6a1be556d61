"""Read again the pictures that a report names, to draw previews of them."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from PIL import Image

from cctranslate.batch.inputs.decoding import open_item
from cctranslate.batch.inputs.opening import read_picture
from cctranslate.batch.inputs.remote_files import RemoteFile
from cctranslate.batch.inputs.sources import open_input
from cctranslate.batch.items import ContentItem, DatasetRow, Item
from cctranslate.batch.stores.prefetching import fetched
from cctranslate.faces import raster
from cctranslate.fer2013 import parse_pixels
from cctranslate.files.remote import is_remote, open_path


def reread_items(sources: Iterable[str]) -> Iterator[Item]:
    """Yield the items of some sources of a report, in any order, without those that are gone.

    Archives and datasets are read again from their beginning, as far as needed.
    """
    missing = set(sources)
    for source in sorted(missing):
        if os.path.isfile(source):  # noqa: PTH113
            missing.remove(source)
            yield Item(path=Path(source), relative=source, named=True)
    for item in fetched(map(_remote, sorted(filter(is_remote, missing)))):
        if isinstance(item, ContentItem):
            missing.remove(item.source)
            yield item
    for file in sorted({part for source in missing for part in _files(source)}):
        wanted = {source for source in missing if source.startswith(f"{file}:")}
        for item in open_input(Path(file), file):
            if item.source in wanted:
                wanted.remove(item.source)
                yield item.fetch()
            if not wanted:
                break


def load_preview(item: Item) -> Image.Image | None:
    """Return an item's picture in gray or RGB, or None if it is gone or cannot be read."""
    try:
        if isinstance(item, DatasetRow):
            item.check()
            return Image.fromarray(parse_pixels(item.pixels))
        with open_item(item) as file:
            return read_picture(file, item.name, raster.read).opaque_picture()
    except Exception:
        # Decoders raise nearly anything, and the file may have changed since it was read.
        return None


def _remote(source: str) -> RemoteFile:
    return RemoteFile(path=open_path(source), relative=source, named=True)


def _files(source: str) -> Iterator[str]:
    """Yield the files that `source` may be a member of: both names may hold colons."""
    for end, letter in enumerate(source):
        # Where Path.is_file raises on a name that no file could have, this says no.
        if letter == ":" and os.path.isfile(source[:end]):  # noqa: PTH113
            yield source[:end]
