"""The inputs that a call's options name."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from cctranslate.batch.call.options import Options
from cctranslate.batch.inputs import job_array, sources
from cctranslate.batch.inputs.exclusions import InputFilter
from cctranslate.batch.inputs.job_array import AllShards
from cctranslate.batch.items import ContentItem, Item
from cctranslate.files.remote import is_remote
from cctranslate.files.walking import walk

_MOST_COUNTED = 200_000
"""Most files that are counted beforehand: counting more would take seconds."""


def iter_items(
    options: Options, input_filter: InputFilter, all_shards: AllShards | None = None
) -> Iterator[Item | None]:
    """Yield the inputs of a call; None where a pipe has no further one yet.

    Args:
        options: The call's options.
        input_filter: Decides which files in folders and archives are inputs.
        all_shards: Counts the inputs of all shards, if the call processes one of several.

    Raises:
        InputError: A list or folder cannot be read.
    """
    items: Iterable[Item | None] = (
        sources.from_list(options.files_from, options.null, options.output_paths, input_filter)
        if options.files_from
        else sources.from_inputs(options.inputs, options.output_paths, input_filter)
    )
    if options.shard:
        items = job_array.choose(options.shard, items, all_shards or AllShards())
    return _first(items, options.limit)


def _first(items: Iterable[Item | None], limit: int | None) -> Iterator[Item | None]:
    remaining = limit
    for item in items:
        yield item
        if remaining is not None and item is not None:
            remaining -= 1
            if not remaining:
                return


def read_pipes(items: Iterable[Item | None]) -> Iterator[Item | None]:
    """Yield the items; read a named pipe when it is its turn, after a None.

    A pipe may never send anything. At the None the run finishes the items before it, and then
    waits in a way that a signal can end.
    """
    for item in items:
        if isinstance(item, ContentItem) and not item.inner:
            yield None
            yield item.fetch()
        else:
            yield item


def count_items(options: Options) -> int | None:
    """Return the number of inputs, or None if counting is expensive.

    Only folders and single files are counted. The number of a shard's inputs is an estimate.
    """
    if any(map(is_remote, options.inputs)):
        return None
    paths = [Path(word) for word in options.inputs]
    if options.balance or not all(
        # Unlike `Path.is_dir` it raises nothing: inputs are checked later.
        os.path.isdir(path) or sources.is_single_picture(str(path))  # noqa: PTH112
        for path in paths
    ):
        return None
    count = 0
    for path in paths:
        files = walk(path, options.output_paths.paths) if path.is_dir() else (path,)
        count += sum(1 for _ in islice(files, _MOST_COUNTED))
    if not 0 < count < _MOST_COUNTED:
        return None
    return min(count // (options.shard[1] if options.shard else 1), options.limit or count)
