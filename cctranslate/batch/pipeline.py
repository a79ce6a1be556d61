"""The stages joined: items are decoded, translated, judged, written and reported, in order."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from cctranslate.batch.inputs.archives import LARGEST
from cctranslate.batch.inputs.decoding import Decoded, Unusable
from cctranslate.batch.inputs.items import Item
from cctranslate.batch.outputs.layout import Layout, Names
from cctranslate.batch.outputs.writers import Writer
from cctranslate.batch.report import formats
from cctranslate.batch.report.journal import Journal
from cctranslate.batch.report.schema import Row
from cctranslate.batch.stages.ordered_map import Workers
from cctranslate.batch.stages.selection import Keeper
from cctranslate.batch.stages.translate import Named, Outcome, translate
from cctranslate.inference.models import TranslationModels
from cctranslate.inference.variants import Plan


def run(
    items: Iterable[Item],
    *,
    models: TranslationModels,
    keeper: Keeper,
    workers: Workers,
    writer: Writer,
    journal: Journal,
    on_rows: Callable[[list[Row]], None],
) -> None:
    """Take every item to its rows. What is in flight is bounded by the window, not the input.

    Raises:
        OutputError: results or rows cannot be written any more; what has a row is done.
        WorkersError: a worker was killed; what has a row is done.
    """
    finisher = workers.work.finisher
    batch = models.micro_batch(len(finisher.plan.conditions), finisher.in_pictures)
    window = max(4 * batch, 4 * workers.count)
    named = _named(items, journal, finisher.layout)
    decoded = workers.decode(((item.fetch(), name) for item, name in named), window)
    outcomes = _chosen(_translated(decoded, finisher.plan, models, finisher.in_pictures), keeper)
    # Photographs that wait for their turn may take as much as those that are worked on.
    most = LARGEST * (workers.count if finisher.packer.in_memory else 1)
    for rows, content in workers.finish(outcomes, window, most):
        placed = writer.add(rows, content)
        journal.add(placed)
        on_rows(placed)


def _named(items: Iterable[Item], journal: Journal, layout: Layout) -> Iterator[tuple[Item, str]]:
    """Items that are still to be done, with their results' names; one named twice comes once."""
    earlier = (row for row in formats.read(journal.path) if row["output"])
    names = Names(layout.name(row) for row in earlier)
    seen: set[bytes] = set()
    for item in items:
        source = item.source
        digest = hashlib.blake2b(os.fsencode(source), digest_size=16).digest()
        if digest in seen:
            continue
        seen.add(digest)
        known = journal.known(source)
        if known == "named":
            continue
        # What has rows without a result claims its name again, so that others get theirs again.
        name = names.claim(layout.base(item.relative))
        if known is None:
            yield item, name


def _translated(
    decoded: Iterable[Named], plan: Plan, models: TranslationModels, in_pictures: bool
) -> Iterator[Outcome | Unusable]:
    """Fill micro-batches across pictures; what gave no face waits its turn beside them."""
    waiting: list[Named] = []
    batch = models.micro_batch(len(plan.conditions), in_pictures)
    faces = held = 0
    for one in decoded:
        waiting.append(one)
        if isinstance(one[0], Decoded):
            faces += len(one[0].wanted)
            held += one[0].item.held
        full = faces >= batch or len(waiting) >= 4 * batch
        if full or held > LARGEST:
            yield from translate(waiting, plan, models, in_pictures)
            waiting, faces, held = [], 0, 0
    yield from translate(waiting, plan, models, in_pictures)


def _chosen(outcomes: Iterable[Outcome | Unusable], keeper: Keeper) -> Iterator[Outcome | Unusable]:
    """Outcomes with what is not to be written of them; none once no class takes any more."""
    stream = iter(outcomes)
    while not keeper.full and (one := next(stream, None)):
        if isinstance(one, Outcome):
            chosen = tuple(keeper.choose(face.probabilities) for face in one.faces)
            one = replace(one, left_out=chosen)
        yield one
