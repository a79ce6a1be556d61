"""Figures of translations, for each target: confirmation, identity, change, FID and KID."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cctranslate.emotions import EMOTIONS, NUM_CLASSES
from cctranslate.inference.models import TranslationModels
from cctranslate.pixels import Gray
from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.metrics.distribution import (
    Eigenfaces,
    frechet_distance,
    kernel_distance,
    roughness,
)

MEANS = (
    *("confirmed", "witnessed", "confidence", "identity", "change", "own_change"),
    *("roughness", "fid", "kid"),
)
"""Figures that are averaged over targets."""


def target_figures(
    models: TranslationModels,
    test: Faces,
    translated: Gray,
    eigenfaces: Eigenfaces,
    training: Faces,
    random: np.random.Generator,
) -> dict[str, dict[str, Any]]:
    """Return the figures of translations [N,7,48,48], by target.

    Args:
        models: The bundle's models.
        test: The faces that were translated.
        translated: Their translations to each target.
        eigenfaces: Embeds faces, to compare persons.
        training: Real faces for FID and KID.
        random: Chooses among them.
    """
    every = translated.reshape(-1, *test.images.shape[1:])
    judged, features = (a.reshape(len(test), NUM_CLASSES, -1) for a in models.classify(every))
    second = models.witness(every)
    of_source = eigenfaces.embed(test.images)
    measured = {}
    for k, emotion in enumerate(EMOTIONS):
        measured[emotion] = _target(k, test, translated[:, k], judged[:, k], of_source, eigenfaces)
        if second is not None:
            second_classes = second.reshape(judged.shape)[test.labels != k, k].argmax(1)
            measured[emotion]["witnessed"] = average(second_classes == k, 4)
        measured[emotion] |= _distances(k, test, features[:, k], training, models, random)
    return measured


def mean_figures(targets: dict[str, dict[str, Any]]) -> dict[str, float | None]:
    """Return the means over targets. A figure that no target has is None."""
    return {
        name: average(np.array([t[name] for t in targets.values() if t.get(name) is not None]), 4)
        for name in MEANS
    }


def _target(
    k: int,
    test: Faces,
    translated: Gray,
    probabilities: NDArray[np.float32],
    of_source: NDArray[np.floating],
    eigenfaces: Eigenfaces,
) -> dict[str, Any]:
    """Return one target's figures on faces of other expressions."""
    is_other = test.labels != k
    similarity = (of_source * eigenfaces.embed(translated)).sum(1)
    change = np.abs(translated.astype(np.float32) - test.images).mean((1, 2))
    return {
        "faces": int(is_other.sum()),
        "confirmed": average((probabilities.argmax(1) == k)[is_other], 4),
        "confidence": average(probabilities[is_other, k], 4),
        "identity": average(similarity[is_other], 4),
        "change": average(change[is_other], 3),
        "own_change": average(change[~is_other], 3),
        "roughness": round(
            roughness(translated[is_other]) / roughness(test.images[is_other]),
            4,
        )
        if is_other.any()
        else None,
    }


def _distances(
    k: int,
    test: Faces,
    features: NDArray[np.float32],
    training: Faces,
    models: TranslationModels,
    random: np.random.Generator,
) -> dict[str, Any]:
    real = training.images[training.labels == k]
    fakes = features[test.labels != k]
    n = min(len(real) // 2, len(fakes), 1500)
    if n < 2:  # one face has no covariance
        return {"n": n, "fid": None, "fid_real": None, "kid": None, "kid_real": None}
    chosen = real[random.permutation(len(real))[: 2 * n]]
    features_of_real = models.classify(chosen)[1].astype(np.float64)
    reference, other_half = features_of_real[:n], features_of_real[n:]
    fake = fakes[random.permutation(len(fakes))[:n]].astype(np.float64)
    return {
        "n": n,
        "fid": round(frechet_distance(fake, reference), 4),
        "fid_real": round(frechet_distance(other_half, reference), 4),
        "kid": round(kernel_distance(fake, reference), 5),
        "kid_real": round(kernel_distance(other_half, reference), 5),
    }


def average(values: NDArray[Any], digits: int) -> float | None:
    """Return the rounded mean, None of no values."""
    return round(float(values.mean()), digits) if values.size else None
