"""The inputs that a call's options name."""

from collections.abc import Iterable, Iterator
from itertools import islice

from cctranslate.batch.inputs import job_array, sources
from cctranslate.batch.inputs.items import Item
from cctranslate.batch.options import Options


def iter_items(options: Options) -> Iterator[Item]:
    """Return the inputs as a stream.

    Raises:
        InputError: a list or folder cannot be read.
    """
    items: Iterable[Item] = (
        sources.from_list(options.files_from, options.null, options.output_paths)
        if options.files_from
        else sources.from_inputs(options.inputs, options.output_paths)
    )
    if options.shard:
        shard = options.shard
        items = (item for item in items if job_array.holds(shard, item.source))
    return islice(items, options.limit)
