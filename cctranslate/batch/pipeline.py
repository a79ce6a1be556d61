"""The stages joined: items are decoded, translated, judged, written and reported, in order."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from cctranslate.batch.inputs.items import Item
from cctranslate.batch.outputs.layout import Names
from cctranslate.batch.outputs.writers import GrowingWriter, Writer
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.resume import ResumeState
from cctranslate.batch.report.row import Disposition, Row
from cctranslate.batch.stages import bounds
from cctranslate.batch.stages.chunks import (
    DecodedChunk,
    ItemChunk,
    TranslatedChunk,
    Work,
)
from cctranslate.batch.stages.ordered_map import OrderedPool
from cctranslate.batch.stages.selection import ResultSelector
from cctranslate.batch.stages.translate import translate
from cctranslate.batch.stores.prefetching import fetched
from cctranslate.inference.models import TranslationModels


class RowSink(Protocol):
    """Where rows go, in the inputs' order."""

    def add(self, rows: Sequence[Row]) -> None:
        """Take the rows of an input."""

    def add_lines(self, lines: bytes, counts: Counts) -> None:
        """Take the lines of some inputs, whose rows were counted where they were made."""


def run(
    items: Iterable[Item | None],
    *,
    models: TranslationModels,
    selector: ResultSelector,
    pool: OrderedPool[Work],
    writer: Writer,
    journal: RowSink,
    names: Names,
    on_rows: Callable[[list[Row]], None],
    on_done: Callable[[int], object],
) -> None:
    """Take every item to its rows. What is in flight is bounded, however many items there are.

    Args:
        items: The inputs that have something left to make. At a None, where the next may be long in
            coming, those so far are finished first.
        models: Translate and judge the faces.
        selector: Decides which results are written.
        pool: Decodes inputs and makes their results.
        writer: Takes the results, in order.
        journal: Takes the rows, in order.
        names: Those that earlier calls gave to results.
        on_rows: Called with each input's rows, if the work is to give all; else with those of
            inputs without a result.
        on_done: Called with a number of inputs whose rows are written and were not shown.

    Raises:
        OutputError: results or rows cannot be written any more; what has a row is done.
        WorkersError: a worker was killed; what has a row is done.
    """
    most = bounds.budget()
    chunker = bounds.Chunker(bounds.weigh)
    ready = fetched(_released(items, selector))
    decoded = pool.map(Work.decode, chunker.chunks(ready), weigh=_weight, most=most)
    translated = translate(_timed(decoded, chunker), pool.work.renderer.plan, models, names.claim)
    selected = _selected(translated, selector)
    for chunk in pool.map(Work.finish, selected, weigh=_weight, most=most):
        if chunk is None:
            continue
        all_rows, lines = pool.work.all_rows, chunk.lines
        if isinstance(writer, GrowingWriter) and not all_rows:
            lines = writer.place(chunk.unplaced)
        if lines:
            journal.add_lines(lines, chunk.counts)
            on_done(chunk.inputs - len(chunk.rows))
        for rows, content in zip(chunk.rows, chunk.contents, strict=True):
            located = rows
            if all_rows:
                located = writer.add(rows, content)
                journal.add(located)
            on_rows(located)


def _released(items: Iterable[Item | None], selector: ResultSelector) -> Iterator[Item | None]:
    """Give up the results of inputs that have changed."""
    for item in items:
        if item is not None and item.remainder is not None:
            selector.release(item.remainder.superseded)
        yield item


def _weight(chunk: ItemChunk | TranslatedChunk) -> int:
    return chunk.weight


def _timed(
    chunks: Iterable[DecodedChunk | None], chunker: bounds.Chunker
) -> Iterator[DecodedChunk | None]:
    """Let the next chunks be fitted to how long these took."""
    for chunk in chunks:
        if chunk is not None:
            chunker.learn(len(chunk.counts), chunk.seconds)
        yield chunk


def remaining(items: Iterable[Item | None], resume: ResumeState) -> Iterator[Item | None]:
    """Return the items that have something left to make; one that is named twice comes once."""
    seen: set[bytes] = set()
    for item in items:
        if item is None:
            yield None
            continue
        key = resume.key(item.source)
        if key in seen:
            continue
        seen.add(key)
        left = resume.left(key, item)
        if left is None or left.targets:
            yield resume.spelled(replace(item, remainder=left))


def _selected(
    chunks: Iterable[TranslatedChunk | None], selector: ResultSelector
) -> Iterator[TranslatedChunk | None]:
    """Decide what becomes of each result; end once no class takes any more."""
    for chunk in chunks:
        if chunk is None or selector.takes_all:
            yield chunk
            continue
        chosen = list[tuple[Disposition | None, ...]]()
        ended = 0
        for count, left in zip(chunk.counts, chunk.remainders, strict=True):
            if selector.full:
                break
            mine = slice(len(chosen), len(chosen) + count)
            judged, before = chunk.probabilities[mine], chunk.before[mine]
            shown = chunk.show_faces[mine]
            if np.isfinite(judged).all() and np.isfinite(before).all():
                targets = left.targets if left else None
                chosen += [
                    selector.choose(p, is_face, targets)
                    for p, is_face in zip(judged, shown, strict=True)
                ]
            else:
                # The picture fails: none of its results takes a place in a class.
                chosen += [(Disposition.DROPPED,) * judged.shape[1]] * count
            ended += 1
        names, counts = chunk.names[:ended], chunk.counts[:ended]
        yield replace(chunk, names=names, counts=counts, dispositions=tuple(chosen))
        if ended < len(chunk.counts):
            return
