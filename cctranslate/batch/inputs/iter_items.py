"""The inputs that a call's options name."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from cctranslate.batch.inputs import job_array, sources
from cctranslate.batch.inputs.exclusions import InputFilter
from cctranslate.batch.inputs.items import Item, Member
from cctranslate.batch.inputs.job_array import AllShards
from cctranslate.batch.options import Options
from cctranslate.folders.walking import walk
from cctranslate.remote import is_remote

_MOST_COUNTED = 200_000
"""Files that are counted beforehand; a folder of more would take seconds."""


def iter_items(
    options: Options, chosen: InputFilter, met: AllShards | None = None
) -> Iterator[Item | None]:
    """Return the inputs as a stream; None where no further one has come so far.

    Args:
        options: The call's options.
        chosen: Decides on what lies in folders and archives.
        met: Takes note of the inputs of all shards, if the call does one of several.

    Raises:
        InputError: a list or folder cannot be read.
    """
    items: Iterable[Item | None] = (
        sources.from_list(options.files_from, options.null, options.output_paths, chosen)
        if options.files_from
        else sources.from_inputs(options.inputs, options.output_paths, chosen)
    )
    if options.shard:
        items = job_array.choose(options.shard, items, met or AllShards())
    return _first(items, options.limit)


def _first(items: Iterable[Item | None], limit: int | None) -> Iterator[Item | None]:
    left = limit
    for item in items:
        yield item
        if left is not None and item is not None:
            left -= 1
            if not left:
                return


def read_pipes(items: Iterable[Item | None]) -> Iterator[Item | None]:
    """Read what comes through a pipe as soon as it is its turn, and give None before.

    A pipe may be silent for ever. A run waits for its next item in a way that a signal ends.
    """
    for item in items:
        if isinstance(item, Member) and not item.inner:
            yield None
            yield item.fetch()
        else:
            yield item


def count_items(options: Options) -> int | None:
    """Return the number of inputs where it is cheap to know: of folders and single files.

    Of a shard it is an estimate.
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
        found = walk(path, options.output_paths.paths) if path.is_dir() else (path,)
        count += sum(1 for _ in islice(found, _MOST_COUNTED))
    if not 0 < count < _MOST_COUNTED:
        return None
    return min(count // (options.shard[1] if options.shard else 1), options.limit or count)
