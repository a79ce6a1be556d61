"""Join the stages: items are decoded, translated, judged, written and reported, in order.

There are two ways, with equal results. In `run` this process has the models, and workers decode and
encode: for a GPU, or where workers are threads. In `run_in_workers` every worker process has its
own models and does all stages, so that no picture crosses between processes: for a CPU.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from cctranslate.batch.items import Item
from cctranslate.batch.outputs.layout import Names
from cctranslate.batch.outputs.writers import GrowingWriter, Writer
from cctranslate.batch.report.counts import Counts, FailureLimit
from cctranslate.batch.report.resume import ResumeState
from cctranslate.batch.report.row import Row
from cctranslate.batch.stages import bounds
from cctranslate.batch.stages.chunk_names import ChunkNames
from cctranslate.batch.stages.chunk_translator import ChunkTranslator
from cctranslate.batch.stages.chunks import DecodedChunk, FinishedChunk, ItemChunk, TranslatedChunk
from cctranslate.batch.stages.selection import ResultSelector
from cctranslate.batch.stages.translate import selected, translate
from cctranslate.batch.stages.worker_tasks import WorkerTasks
from cctranslate.batch.stores.prefetching import fetched
from cctranslate.batch.workers.ordered_map import OrderedPool
from cctranslate.inference.models import TranslationModels

TimedChunk = TypeVar("TimedChunk", DecodedChunk, FinishedChunk)


class RowSink(Protocol):
    """Takes rows, in the inputs' order: the journal, or the rows of a block."""

    def add(self, rows: Sequence[Row]) -> None:
        """Add the rows of an input."""

    def add_lines(self, lines: bytes, counts: Counts) -> None:
        """Add the report's lines of some inputs, with the counts of their rows."""


@dataclass(frozen=True, kw_only=True)
class Sinks:
    """What takes results and rows, in the inputs' order."""

    writer: Writer
    """Takes the results."""
    rows: RowSink
    """Takes the rows."""
    on_rows: Callable[[list[Row]], None]
    """Called with the rows of each input if `all_rows` is set in the tasks; else only with the rows
    of inputs without a result."""
    on_done: Callable[[int], object]
    """Called with the number of inputs that were reported without `on_rows`."""


def run(
    items: Iterable[Item | None],
    *,
    models: TranslationModels,
    selector: ResultSelector,
    pool: OrderedPool[WorkerTasks],
    sinks: Sinks,
    names: Names,
    limit: FailureLimit,
) -> None:
    """Translate all items, with the models in this process. Memory is bounded for any number.

    Args:
        items: The inputs with results left to make. At a None, as the next input may take long to
            come, all inputs so far are finished first.
        models: Translate and judge the faces.
        selector: Decides which results are written.
        pool: Workers that decode inputs and make their results.
        sinks: Take the results and rows, in order.
        names: The reserved names of results.
        limit: Ends the run early; inputs that a worker has begun by then are finished.

    Raises:
        OutputError: Results or rows cannot be written any more; inputs with a row are done.
        WorkersError: A worker was killed; inputs with a row are done.
    """
    max_weight = bounds.budget()
    chunker = bounds.Chunker(bounds.weigh)
    ready = fetched(_released(items, selector))
    chunks = _limited(chunker.chunks(ready), limit)
    decoded = pool.map(WorkerTasks.decode, chunks, weigh=_weight, max_weight=max_weight)
    translated = translate(_timed(decoded, chunker), pool.work.renderer.plan, models, names.claim)
    selected_chunks = selected(translated, selector)
    finished = pool.map(
        WorkerTasks.finish,
        selected_chunks,
        weigh=_weight,
        max_weight=max_weight,
        enough=limit.is_passed,
    )
    _report(finished, sinks, pool.work.all_rows)


def run_in_workers(
    items: Iterable[Item | None],
    *,
    pool: OrderedPool[ChunkTranslator],
    sinks: Sinks,
    names: Names,
    limit: FailureLimit,
) -> None:
    """Translate all items as `run` does, with models in every worker.

    Raises:
        OutputError: Results or rows cannot be written any more; inputs with a row are done.
        WorkersError: A worker was killed; inputs with a row are done.
    """
    work = pool.work.work
    named = ChunkNames(names, work.renderer.layout)
    chunker = bounds.Chunker(pool.work.weigh, bounds.WHOLE_SECONDS, named.group)
    chunks = named.with_reserved_names(_limited(chunker.chunks(fetched(items)), limit))
    finished = pool.map(
        ChunkTranslator.translate,
        chunks,
        weigh=_weight,
        max_weight=bounds.budget(),
        enough=limit.is_passed,
    )
    _report(named.finished(_timed(finished, chunker)), sinks, work.all_rows)


def _report(chunks: Iterable[FinishedChunk | None], sinks: Sinks, all_rows: bool) -> None:
    """Write the rows of chunks, and their results where the writer is in this process."""
    writer = sinks.writer
    for chunk in chunks:
        if chunk is None:
            continue
        lines = chunk.lines
        if isinstance(writer, GrowingWriter) and not all_rows:
            lines = writer.append_inputs(chunk.unplaced)
        if lines:
            sinks.rows.add_lines(lines, chunk.counts)
            sinks.on_done(chunk.inputs - len(chunk.rows))
        for rows, content in zip(chunk.rows, chunk.contents, strict=True):
            located = rows
            if all_rows:
                located = writer.add(rows, content)
                sinks.rows.add(located)
            sinks.on_rows(located)


def _released(items: Iterable[Item | None], selector: ResultSelector) -> Iterator[Item | None]:
    """Subtract results of changed inputs from the quota of `--per-class`."""
    for item in items:
        if item is not None and item.remainder is not None:
            selector.release(item.remainder.superseded)
        yield item


def _limited(chunks: Iterable[ItemChunk | None], limit: FailureLimit) -> Iterator[ItemChunk | None]:
    """Tell workers after how many failures a chunk can end early."""
    for chunk in chunks:
        failures_left = None if chunk is None else limit.left
        if chunk is None or failures_left is None:
            yield chunk
        else:
            yield replace(chunk, failures_left=failures_left)


def _weight(chunk: ItemChunk | TranslatedChunk) -> int:
    return chunk.weight


def _timed(
    chunks: Iterable[TimedChunk | None], chunker: bounds.Chunker
) -> Iterator[TimedChunk | None]:
    """Adapt the size of the next chunks to the time that these took."""
    for chunk in chunks:
        if chunk is not None:
            chunker.learn(chunk.inputs, chunk.seconds)
        yield chunk


def remaining(items: Iterable[Item | None], resume: ResumeState) -> Iterator[Item | None]:
    """Yield the items with results left to make, each once even if it is named twice."""
    met: set[bytes] = set()
    for item in items:
        if item is None:
            yield None
            continue
        key = resume.key(item.source)
        if key in met:
            continue
        met.add(key)
        fetched_item = item.fetch() if resume.needs_content(key, item) else item
        remainder = resume.remainder(key, fetched_item)
        if remainder is not None:
            fetched_item = replace(fetched_item, remainder=remainder)
        if remainder is None or remainder.targets:
            yield resume.with_reported_path(fetched_item)
