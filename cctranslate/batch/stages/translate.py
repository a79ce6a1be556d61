"""Pictures' faces through the generator and the judge."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cctranslate.batch.inputs.decoding import Decoded, Unusable
from cctranslate.faces.alignment import whole
from cctranslate.faces.compositing import carry
from cctranslate.faces.crops import Face
from cctranslate.inference.variants import Plan
from cctranslate.pixels import SIZE, Gray, Scaled

if TYPE_CHECKING:
    # Worker processes need no onnxruntime.
    from cctranslate.inference.models import TranslationModels

Named = tuple[Decoded | Unusable, str]


@dataclass(frozen=True, kw_only=True)
class FaceResults:
    """A face's K results [K,48,48], their probabilities [K,7] and the face's own, `before` [7].

    `edits` [K,3,48,48] are there if its picture is to be changed.
    """

    translated: Gray
    edits: Scaled | None
    probabilities: Scaled
    before: Scaled


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A picture with what came of the faces that were wanted.

    `left_out` says of each face and result why it is not written to OUT, if it is not.
    """

    decoded: Decoded
    name: str
    faces: tuple[FaceResults, ...]
    ms: float
    left_out: tuple[tuple[str, ...], ...] = ()


def translate(
    waiting: Sequence[Named], plan: Plan, models: TranslationModels, in_pictures: bool
) -> Iterator[Outcome | Unusable]:
    """Translate and judge what waits, in its order, the faces in as few batches as they fill.

    Raises:
        DeviceError: the device gave up.
    """
    pictures = [one for one, _ in waiting if isinstance(one, Decoded)]
    faces = [face for one in pictures for face in one.wanted]
    edits_needed = in_pictures and not all(one.is_model_sized for one in pictures)
    started = time.perf_counter()
    results: list[FaceResults] = []
    size = models.micro_batch(len(plan.conditions), edits_needed)
    for i in range(0, len(faces), size):
        results += _run(models, plan, faces[i : i + size], edits_needed)
    ms = (time.perf_counter() - started) * 1000 / max(len(faces), 1)
    left = iter(results)
    for one, name in waiting:
        if isinstance(one, Unusable):
            yield one
            continue
        own = tuple(next(left) for _ in one.wanted)
        yield Outcome(decoded=one, name=name, faces=own, ms=ms)


def _run(
    models: TranslationModels, plan: Plan, faces: list[Face], edits_needed: bool
) -> list[FaceResults]:
    levels = np.stack([face.levels for face in faces])
    results = models.translate(levels, plan.conditions, edits_needed)
    translated, edits = results.faces, results.edits
    if edits is not None:
        for i, face in enumerate(faces):
            if face.found:
                translated[i] = [_faded(face.levels, edit) for edit in edits[i]]
    probabilities = models.judge(translated)
    return [
        FaceResults(
            translated=translated[i, best],
            edits=None if edits is None else edits[i, best],
            probabilities=probabilities[i, best],
            before=results.before[i],
        )
        for i, best in enumerate(plan.best(probabilities))
    ]


def _faded(levels: Gray, edit: Scaled) -> Gray:
    """The face as it will be in its picture, where a change fades out towards the edge."""
    face = levels.copy()
    carry(face, whole(SIZE, SIZE), edit)
    return face
