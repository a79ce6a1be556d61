"""The stages joined: items are decoded, translated, judged, written and reported, in order."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from cctranslate.batch import report
from cctranslate.batch.archives import LARGEST
from cctranslate.batch.faces import Decoded, Unusable, decode
from cctranslate.batch.item import Item
from cctranslate.batch.journal import Journal
from cctranslate.batch.keep import Keeper
from cctranslate.batch.layout import Layout, Names
from cctranslate.batch.plan import Plan
from cctranslate.batch.report import Row, Status
from cctranslate.batch.room import Room
from cctranslate.batch.sessions import Models
from cctranslate.batch.writer import Writer
from cctranslate.emotions import EMOTIONS
from cctranslate.pixels import Gray, Scaled

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A face with its translations [K,48,48], their probabilities [K,7] and its own [7].

    `left_out` says of each translation why it is not written, if it is not.
    """

    decoded: Decoded
    name: str
    translated: Gray
    probabilities: Scaled
    before: Scaled
    ms: float
    left_out: tuple[str, ...] = ()


def run(
    items: Iterable[Item],
    *,
    plan: Plan,
    models: Models,
    writer: Writer,
    layout: Layout,
    keeper: Keeper,
    journal: Journal,
    workers: int,
    on_rows: Callable[[list[Row]], None],
) -> None:
    """Take every item to its rows. What is in flight is bounded by the window, not the input.

    Raises:
        OutputError: results or rows cannot be written any more; what has a row is done.
    """
    window = max(4 * models.batch_size, 4 * workers)
    with ThreadPoolExecutor(workers) as pool:
        room = Room(LARGEST)
        named = _fetched(_named(items, journal, layout), room)
        decoded = ordered(pool, lambda pair: (_decoded(pair[0], room), pair[1]), named, window)
        outcomes = _chosen(_translated(decoded, plan, models), keeper)
        finished = ordered(pool, lambda one: _rows(one, plan, layout, writer), outcomes, window)
        for rows in finished:
            journal.add(rows)
            on_rows(rows)


def ordered(
    pool: ThreadPoolExecutor, work: Callable[[A], B], things: Iterable[A], window: int
) -> Iterator[B]:
    """`pool.map` for a stream: results in order, at most `window` of them ahead of the reader."""
    ahead: deque[Future[B]] = deque()
    try:
        for thing in things:
            ahead.append(pool.submit(work, thing))
            if len(ahead) >= window:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        for future in ahead:
            future.cancel()


def _named(items: Iterable[Item], journal: Journal, layout: Layout) -> Iterator[tuple[Item, str]]:
    """Items that are still to be done, with their results' names; one named twice comes once."""
    earlier = (row for row in report.read(journal.path) if row["output"])
    names = Names(layout.name(row["output"], row["strength"], row["sample"]) for row in earlier)
    seen: set[int] = set()
    for item in items:
        source = item.source
        if hash(source) in seen:
            continue
        seen.add(hash(source))
        known = journal.known(source)
        if known == "named":
            continue
        # What has rows without a result claims its name again, so that others get theirs again.
        name = names.claim(layout.base(item.relative))
        if known is None:
            yield item, name


def _fetched(named: Iterable[tuple[Item, str]], room: Room) -> Iterator[tuple[Item, str]]:
    """Read what only can be read in order, as long as there is room for it."""
    for item, name in named:
        fetched = item.fetch()
        room.enter(fetched.held)
        yield fetched, name


def _decoded(item: Item, room: Room) -> Decoded | Unusable:
    try:
        return decode(item)
    finally:
        room.leave(item.held)


def _translated(
    decoded: Iterable[tuple[Decoded | Unusable, str]], plan: Plan, models: Models
) -> Iterator[Outcome | Unusable]:
    """Fill micro-batches across pictures; what gave no face waits its turn beside them."""
    waiting: list[tuple[Decoded | Unusable, str]] = []
    faces = 0
    for one in decoded:
        waiting.append(one)
        faces += isinstance(one[0], Decoded)
        if faces == models.batch_size or len(waiting) >= 4 * models.batch_size:
            yield from _batch(waiting, plan, models)
            waiting, faces = [], 0
    yield from _batch(waiting, plan, models)


def _chosen(outcomes: Iterable[Outcome | Unusable], keeper: Keeper) -> Iterator[Outcome | Unusable]:
    """Outcomes with what is not to be written of them; none once no class takes any more."""
    stream = iter(outcomes)
    while not keeper.full and (one := next(stream, None)):
        if isinstance(one, Outcome):
            one = replace(one, left_out=keeper.choose(one.probabilities))
        yield one


def _batch(
    waiting: list[tuple[Decoded | Unusable, str]], plan: Plan, models: Models
) -> Iterator[Outcome | Unusable]:
    faces = [one.face for one, _ in waiting if isinstance(one, Decoded)]
    if not faces:
        yield from (one for one, _ in waiting if isinstance(one, Unusable))
        return
    started = time.perf_counter()
    results = models.run(np.stack(faces), plan.labels)
    ms = (time.perf_counter() - started) * 1000 / len(faces)
    best = plan.best(results.probabilities)
    i = 0
    for one, name in waiting:
        if isinstance(one, Unusable):
            yield one
            continue
        yield Outcome(
            decoded=one,
            name=name,
            translated=results.faces[i, best[i]],
            probabilities=results.probabilities[i, best[i]],
            before=results.before[i],
            ms=ms,
        )
        i += 1


def _rows(outcome: Outcome | Unusable, plan: Plan, layout: Layout, writer: Writer) -> list[Row]:
    """Write an outcome's files and say so, or say why there are none."""
    if isinstance(outcome, Unusable):
        if outcome.skipped:
            return [_without_result(outcome.item, "skipped", outcome.reason)]
        return [_without_result(outcome.item, "failed", f"decode: {outcome.reason}")]
    rows: list[Row] = []
    try:
        for k, variant in enumerate(plan.variants):
            place = "" if outcome.left_out[k] else layout.place(variant, outcome.name)
            if place:
                writer.write(outcome.translated[k], place, variant.target)
            rows.append(_row(outcome, plan, k, place))
    except OSError as error:
        writer.discard(row.output for row in rows if row.output)
        reason = f"write: {error.strerror or error}"
        return [_without_result(outcome.decoded.item, "failed", reason)]
    return rows


def _without_result(item: Item, status: Status, reason: str) -> Row:
    return Row(source=item.source, status=status, reason=reason, source_label=item.label)


def _row(outcome: Outcome, plan: Plan, k: int, place: str) -> Row:
    decoded, variant, p = outcome.decoded, plan.variants[k], outcome.probabilities[k]
    return Row(
        source=decoded.item.source,
        face=1,
        box=f"0 0 {decoded.width} {decoded.height}",
        target=variant.target,
        output=place,
        status="done",
        reason=outcome.left_out[k],
        predicted=EMOTIONS[int(p.argmax())],
        confidence=round(float(p.max()), 6),
        confirmed="true" if plan.confirms(variant.target, p) else "false",
        probabilities=tuple(round(float(value), 6) for value in p),
        source_label=decoded.item.label,
        source_predicted=EMOTIONS[int(outcome.before.argmax())],
        strength=variant.amount,
        sample=variant.sample,
        width=decoded.width,
        height=decoded.height,
        mode=decoded.mode,
        source_sha256=decoded.sha256,
        ms=round(outcome.ms, 3),
    )
