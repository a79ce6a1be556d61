"""Pictures' faces through the generator and the judge."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cctranslate.batch.inputs.decoding import Decoded, Unusable
from cctranslate.batch.report.schema import Disposition
from cctranslate.faces.alignment import whole
from cctranslate.faces.compositing import carry
from cctranslate.faces.crops import Face
from cctranslate.inference.variants import Plan
from cctranslate.pixels import SIZE, Gray, Scaled

if TYPE_CHECKING:
    # Worker processes need no onnxruntime.
    from cctranslate.inference.models import TranslationModels


@dataclass(frozen=True, kw_only=True)
class FaceResults:
    """A face's K results [K,48,48], their probabilities [K,7] and the face's own, `before` [7].

    `edits` [K,3,48,48] are there if its picture is to be changed.
    """

    translated: Gray
    edits: Scaled | None
    probabilities: Scaled
    before: Scaled

    @property
    def is_judged(self) -> bool:
        """Whether all probabilities are numbers."""
        return bool(np.isfinite(self.probabilities).all() and np.isfinite(self.before).all())


@dataclass(frozen=True, kw_only=True)
class TranslatedPicture:
    """A picture with the results of the faces to translate."""

    decoded: Decoded
    faces: tuple[FaceResults, ...]
    ms: float
    """Milliseconds of inference for each face."""
    dispositions: tuple[tuple[Disposition, ...], ...] = ()
    """What becomes of each face's results; given by the selection."""


def translate(
    waiting: Sequence[Decoded | Unusable], plan: Plan, models: TranslationModels, in_pictures: bool
) -> Iterator[TranslatedPicture | Unusable]:
    """Translate and judge the faces of pictures, in order, in as few batches as they fill.

    Raises:
        DeviceError: the device gave up.
    """
    pictures = [picture for picture in waiting if isinstance(picture, Decoded)]
    faces = [face for picture in pictures for face in picture.wanted]
    edits_needed = in_pictures and not all(picture.is_model_sized for picture in pictures)
    started = time.perf_counter()
    translated: list[FaceResults] = []
    size = models.micro_batch(len(plan.conditions), edits_needed)
    for i in range(0, len(faces), size):
        translated += _run(models, plan, faces[i : i + size], edits_needed)
    ms = (time.perf_counter() - started) * 1000 / max(len(faces), 1)
    remaining = iter(translated)
    for picture in waiting:
        if isinstance(picture, Unusable):
            yield picture
            continue
        results = tuple(next(remaining) for _ in picture.wanted)
        if all(face.is_judged for face in results):
            yield TranslatedPicture(decoded=picture, faces=results, ms=ms)
        else:
            yield Unusable(
                item=picture.item,
                skipped=False,
                reason="a score is not a number: check the bundle with `cctranslate doctor`",
                stage="judge",
                stamp=picture.stamp,
                result_name=picture.result_name,
            )


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
