"""The stages joined: items are decoded, translated, judged, written and reported, in order."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from cctranslate.batch.inputs.archives import LARGEST
from cctranslate.batch.inputs.decoding import Decoded, Unusable
from cctranslate.batch.inputs.items import Item
from cctranslate.batch.outputs.layout import Layout, Names
from cctranslate.batch.outputs.writers import Writer
from cctranslate.batch.report.journal import Journal, source_key
from cctranslate.batch.report.schema import Row
from cctranslate.batch.stages.ordered_map import Workers
from cctranslate.batch.stages.selection import ResultSelector
from cctranslate.batch.stages.translate import TranslatedPicture, translate
from cctranslate.inference.models import TranslationModels
from cctranslate.inference.variants import Plan


def run(
    items: Iterable[Item],
    *,
    models: TranslationModels,
    selector: ResultSelector,
    workers: Workers,
    writer: Writer,
    journal: Journal,
    names: Names,
    on_rows: Callable[[list[Row]], None],
) -> None:
    """Take every item to its rows. What is in flight is bounded by the window, not the input.

    `names` are those that earlier calls gave to results.

    Raises:
        OutputError: results or rows cannot be written any more; what has a row is done.
        WorkersError: a worker was killed; what has a row is done.
    """
    renderer = workers.work.renderer
    batch = models.micro_batch(len(renderer.plan.conditions), renderer.in_pictures)
    window = max(4 * batch, 4 * workers.count)
    fetched = (item.fetch() for item in _remaining(items, journal))
    decoded = _named(workers.decode(fetched, window), names, renderer.layout)
    translated = _translated(decoded, renderer.plan, models, renderer.in_pictures)
    # Photographs that wait for their turn may take as much as those that are worked on.
    most = LARGEST * (workers.count if renderer.packer.in_memory else 1)
    for rows, content in workers.finish(_selected(translated, selector), window, most):
        located = writer.add(rows, content)
        journal.add(located)
        on_rows(located)


def _remaining(items: Iterable[Item], journal: Journal) -> Iterator[Item]:
    """Return the items that no earlier call ended; one that is named twice comes once."""
    seen: set[bytes] = set()
    for item in items:
        key = source_key(item.source)
        if key not in seen and not journal.has(item.source):
            seen.add(key)
            yield item


def _named(
    decoded: Iterable[Decoded | Unusable], names: Names, layout: Layout
) -> Iterator[Decoded | Unusable]:
    """Give each picture the name of its results.

    A picture that failed takes its name too, so that it gets the same one when it is done again.
    What is skipped takes none from the pictures beside it.
    """
    for source in decoded:
        if isinstance(source, Unusable) and source.skipped:
            yield source
        else:
            name = names.claim(layout.base(source.item.relative))
            yield replace(source, result_name=name)


def _translated(
    decoded: Iterable[Decoded | Unusable], plan: Plan, models: TranslationModels, in_pictures: bool
) -> Iterator[TranslatedPicture | Unusable]:
    """Fill micro-batches across pictures; what gave no face waits its turn beside them."""
    waiting: list[Decoded | Unusable] = []
    batch = models.micro_batch(len(plan.conditions), in_pictures)
    faces = held = 0
    for source in decoded:
        waiting.append(source)
        if isinstance(source, Decoded):
            faces += len(source.wanted)
            held += source.item.held
        full = faces >= batch or len(waiting) >= 4 * batch
        if full or held > LARGEST:
            yield from translate(waiting, plan, models, in_pictures)
            waiting, faces, held = [], 0, 0
    yield from translate(waiting, plan, models, in_pictures)


def _selected(
    pictures: Iterable[TranslatedPicture | Unusable], selector: ResultSelector
) -> Iterator[TranslatedPicture | Unusable]:
    """Decide what becomes of each result; end once no class takes any more."""
    stream = iter(pictures)
    while not selector.full and (picture := next(stream, None)):
        if isinstance(picture, TranslatedPicture):
            chosen = tuple(selector.choose(face.probabilities) for face in picture.faces)
            picture = replace(picture, dispositions=chosen)
        yield picture
