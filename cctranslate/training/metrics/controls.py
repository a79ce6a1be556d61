"""Measure how a translator responds to its controls: strength and samples."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cctranslate.emotions import EMOTIONS, NUM_CLASSES
from cctranslate.inference.conditions import Conditions, label_row, plain_conditions
from cctranslate.inference.models import TranslationModels
from cctranslate.pixels import Gray
from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.metrics.distribution import Eigenfaces

PROBED = 500
"""Faces for which strengths and samples are measured, several results each."""
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Strengths at which results are measured."""
SAMPLES = 4
"""Samples of each face and target."""


def controls(
    models: TranslationModels, test: Faces, eigenfaces: Eigenfaces, random: np.random.Generator
) -> dict[str, Any]:
    """Measure the effect of strengths and samples on some of the faces."""
    probed = test.take(np.sort(random.permutation(len(test))[:PROBED]))
    return {
        "probed": len(probed),
        "strengths": strength_curve(models, probed, eigenfaces),
        "diversity": diversity(models, probed),
    }


def strength_curve(
    models: TranslationModels, test: Faces, eigenfaces: Eigenfaces
) -> list[dict[str, float]]:
    """Return mean figures on faces of other expressions, for each strength."""
    of_source = eigenfaces.embed(test.images)
    is_other = test.labels[:, None] != np.arange(NUM_CLASSES)
    faces, targets = np.nonzero(is_other)
    lines = []
    for strength in STRENGTHS:
        results = models.generate(test.images, plain_conditions(strength=strength))[is_other]
        p = models.judge(results)
        change = np.abs(results.astype(np.float32) - test.images[faces])
        lines.append(
            {
                "strength": strength,
                "confirmed": round(float((p.argmax(1) == targets).mean()), 4),
                "confidence": round(float(p[np.arange(len(p)), targets].mean()), 4),
                "identity": round(
                    float((of_source[faces] * eigenfaces.embed(results)).sum(1).mean()), 4
                ),
                "change": round(float(change.mean()), 3),
            }
        )
    return lines


def diversity(models: TranslationModels, test: Faces) -> dict[str, Any]:
    """Measure how much a face's samples of one target differ, and how many are confirmed.

    `apart` is the mean absolute difference of two samples in gray levels, `change` that between the
    first one and its source. `best` is the confirmed fraction if the best sample is taken.
    """
    distances, change, confirmed, best = [], [], [], []
    for k, emotion in enumerate(EMOTIONS):
        faces: Gray = test.images[test.labels != k]
        if not len(faces):
            continue
        styles = Conditions(
            labels=np.stack([label_row(emotion, n, 0) for n in range(SAMPLES)]),
            strength=np.ones(SAMPLES, np.float32),
            targets=np.full(SAMPLES, k),
        )
        results = models.generate(faces, styles)
        p = models.judge(results)
        hit = p.argmax(2) == k
        confirmed.append(hit)
        best.append(hit[np.arange(len(hit)), p[:, :, k].argmax(1)])
        distances.append(_sample_distances(results))
        change.append(np.abs(results[:, 0].astype(np.float32) - faces).mean((1, 2)))
    return {
        "samples": SAMPLES,
        "apart": round(float(np.concatenate(distances).mean()), 3),
        "change": round(float(np.concatenate(change).mean()), 3),
        "confirmed": [round(float(fraction), 4) for fraction in np.concatenate(confirmed).mean(0)],
        "best": round(float(np.concatenate(best).mean()), 4),
    }


def _sample_distances(results: Gray) -> NDArray[np.float32]:
    """Return the mean absolute gray levels [N] between each face's samples [N,S,48,48]."""
    wide = results.astype(np.float32)
    first, second = np.triu_indices(wide.shape[1], 1)
    return np.asarray(np.abs(wide[:, first] - wide[:, second]).mean((1, 2, 3)))
