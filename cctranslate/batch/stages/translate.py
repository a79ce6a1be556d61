"""Run the faces of chunks through the generator and the judge."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cctranslate.batch.report.row import Disposition
from cctranslate.batch.stages.chunks import DecodedChunk, TranslatedChunk
from cctranslate.batch.stages.selection import ResultSelector
from cctranslate.emotions import EMOTIONS
from cctranslate.faces.alignment import whole
from cctranslate.faces.compositing import adapt, carry
from cctranslate.inference.variants import Plan
from cctranslate.pixels import SIZE, Floats, Gray

if TYPE_CHECKING:
    # Worker processes beside a GPU need no onnxruntime.
    from cctranslate.inference.models import TranslationModels

MOST_HELD = 64 << 20
"""Bytes of inputs that may wait until a micro-batch is full."""
ClaimName = Callable[[str], str]
"""Reserves and returns a name for the results of an input, by the name that it prefers."""


@dataclass(frozen=True, kw_only=True)
class _Outputs:
    """The models' outputs for N faces, as in `TranslatedChunk`."""

    translated: Gray
    probabilities: Floats
    source_probabilities: Floats
    edits: Floats | None


def translate(
    chunks: Iterable[DecodedChunk | None], plan: Plan, models: TranslationModels, claim: ClaimName
) -> Iterator[TranslatedChunk | None]:
    """Translate and judge the faces of chunks, in order, in micro-batches across them.

    A None ends a micro-batch, and follows it.

    Raises:
        DeviceError: Memory is short, or the device failed.
    """
    waiting: list[DecodedChunk] = []
    faces = inputs = waiting_bytes = 0
    for chunk in chunks:
        if chunk is None:
            yield from _translated(waiting, plan, models, claim)
            yield None
            waiting, faces, inputs, waiting_bytes = [], 0, 0, 0
            continue
        waiting.append(chunk)
        faces, inputs = faces + len(chunk.faces), inputs + len(chunk.counts)
        waiting_bytes += chunk.weight
        batch = models.micro_batch(len(plan.conditions), any(chunk.is_drawn for chunk in waiting))
        if faces >= batch or inputs >= 4 * batch or waiting_bytes > MOST_HELD:
            yield from _translated(waiting, plan, models, claim)
            waiting, faces, inputs, waiting_bytes = [], 0, 0, 0
    yield from _translated(waiting, plan, models, claim)


def selected(
    chunks: Iterable[TranslatedChunk | None], selector: ResultSelector
) -> Iterator[TranslatedChunk | None]:
    """Set the disposition of each result; end once the quota of every class is reached."""
    for chunk in chunks:
        if chunk is None or selector.takes_all:
            yield chunk
            continue
        chosen = list[tuple[Disposition | None, ...]]()
        ended = 0
        for count, remainder in zip(chunk.counts, chunk.remainders, strict=True):
            if selector.full:
                break
            rows = slice(len(chosen), len(chosen) + count)
            judged, shows_face = chunk.probabilities[rows], chunk.shows_face[rows]
            source_judged = chunk.source_probabilities[rows]
            if np.isfinite(judged).all() and np.isfinite(source_judged).all():
                targets = remainder.targets if remainder else None
                chosen += [
                    selector.choose(p, is_face, targets)
                    for p, is_face in zip(judged, shows_face, strict=True)
                ]
            else:
                # The picture fails, so its results do not count towards a quota.
                chosen += [(Disposition.DROPPED,) * judged.shape[1]] * count
            ended += 1
        names, counts = chunk.names[:ended], chunk.counts[:ended]
        yield replace(chunk, names=names, counts=counts, dispositions=tuple(chosen))
        if ended < len(chunk.counts):
            return


def _translated(
    waiting: Sequence[DecodedChunk], plan: Plan, models: TranslationModels, claim: ClaimName
) -> Iterator[TranslatedChunk]:
    """Translate the faces of all chunks together, in parts that fit into memory."""
    if not waiting:
        return
    faces = np.concatenate([chunk.faces for chunk in waiting])
    detected = np.concatenate([chunk.detected for chunk in waiting])
    scales = np.concatenate([chunk.scales for chunk in waiting])
    with_edits = any(chunk.is_drawn for chunk in waiting)
    size = models.micro_batch(len(plan.conditions), with_edits)
    started = time.perf_counter()
    outputs = _joined(
        [
            _run(models, plan, faces[part], detected[part], scales[part], with_edits)
            for part in (slice(i, i + size) for i in range(0, max(len(faces), 1), size))
        ]
    )
    ms = (time.perf_counter() - started) * 1000 / max(len(faces), 1)
    # A detected face is a face: only the others are classified.
    shows_face, hard = detected.copy(), np.zeros(len(faces), bool)
    shows_face[~detected], hard[~detected] = models.classify_presence(faces[~detected])
    first = 0
    for chunk in waiting:
        rows = slice(first, first + len(chunk.faces))
        first = rows.stop
        edits = outputs.edits
        yield TranslatedChunk(
            sources=chunk.sources,
            counts=chunk.counts,
            weight=chunk.weight,
            names=tuple(_names(chunk, claim)),
            remainders=chunk.remainders,
            translated=outputs.translated[rows],
            edits=edits[rows] if edits is not None and chunk.is_drawn else None,
            probabilities=outputs.probabilities[rows],
            source_probabilities=outputs.source_probabilities[rows],
            shows_face=shows_face[rows],
            hard=hard[rows],
            ms=ms,
        )


def _run(
    models: TranslationModels,
    plan: Plan,
    faces: Gray,
    detected: NDArray[np.bool_],
    scales: Floats,
    with_edits: bool,
) -> _Outputs:
    """Return the best candidate of each variant, with edits if they are wanted."""
    if not len(faces):
        probabilities = np.zeros((0, len(plan.variants), len(EMOTIONS)), np.float32)
        return _Outputs(
            translated=np.zeros((0, len(plan.variants), SIZE, SIZE), np.uint8),
            probabilities=probabilities,
            source_probabilities=probabilities[:, 0],
            edits=None,
        )
    results = models.translate(faces, plan.conditions, with_edits)
    translated, edits = results.faces, None
    if results.edits is not None:
        # A picture that is a face from edge to edge gets the change that the judge sees.
        sizes = np.where(detected, scales, 1)
        edits = np.stack([adapt(*each) for each in zip(results.edits, sizes, strict=True)])
        for i in np.flatnonzero(detected):
            translated[i] = [_faded(faces[i], edit) for edit in edits[i]]
    probabilities = models.judge(translated)
    best = plan.best(probabilities)
    rows = np.arange(len(faces))[:, None]
    return _Outputs(
        translated=translated[rows, best],
        probabilities=probabilities[rows, best],
        source_probabilities=results.source_probabilities,
        edits=None if edits is None else edits[rows, best],
    )


def _joined(parts: Sequence[_Outputs]) -> _Outputs:
    edits = [part.edits for part in parts if part.edits is not None]
    return _Outputs(
        translated=np.concatenate([part.translated for part in parts]),
        probabilities=np.concatenate([part.probabilities for part in parts]),
        source_probabilities=np.concatenate([part.source_probabilities for part in parts]),
        edits=np.concatenate(edits) if edits else None,
    )


def _names(chunk: DecodedChunk, claim: ClaimName) -> Iterator[str | None]:
    """Yield the name of each input's results: that of an earlier call, or one that is claimed."""
    for base, remainder in zip(chunk.bases, chunk.remainders, strict=True):
        if remainder and remainder.result_name:
            yield remainder.result_name
        else:
            yield None if base is None else claim(base)


def _faded(levels: Gray, edit: Floats) -> Gray:
    """Return the face as it will look in its picture, where the change fades towards the edge."""
    face = levels.copy()
    carry(face, whole(SIZE, SIZE), edit)
    return face
