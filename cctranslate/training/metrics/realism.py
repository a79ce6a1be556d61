"""Measure how well new critics tell results from real faces: their AUC on new faces."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cctranslate.emotions import EMOTIONS, NUM_CLASSES
from cctranslate.errors import DataError
from cctranslate.inference.conditions import plain_conditions
from cctranslate.inference.models import TranslationModels
from cctranslate.pixels import Gray
from cctranslate.training.data.fer2013 import Faces, without_copies
from cctranslate.training.metrics.critics import EPOCHS, REGIONS, train_critic

SOURCES = 9000
"""Training faces whose translations critics learn from, each to one target.

Fewer faces, each to all targets, teach critics which faces were translated rather than how.
"""
REPEATS = 4
"""How often a real face may be drawn for one sample, where a label has few (disgust has 436)."""
TOO_FEW = "too few Training faces to train critics: leave --critics out"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Results, whose labels are their targets and whose rows are their sources', and real faces."""

    results: Faces
    real: Faces


@dataclass(frozen=True, kw_only=True)
class Realism:
    """Figures by region and target, and measured results with the whole-face critic's logits."""

    figures: dict[str, Any]
    results: Faces
    scores: NDArray[np.float32]


def translations(sources: Faces, translated: Gray) -> Faces:
    """Return translations [N,7,48,48] as faces labeled by target, own expressions left out."""
    faces, targets = np.nonzero(sources.labels[:, None] != np.arange(NUM_CLASSES))
    return Faces(
        images=translated[faces, targets],
        labels=targets.astype(np.uint8),
        rows=sources.rows[faces],
    )


def fresh_critics(
    models: TranslationModels,
    training: Faces,
    test: Faces,
    translated: Gray,
    device: torch.device,
    seed: int = 0,
) -> Realism:
    """Measure translations [N,7,48,48] of test faces by critics trained on Training faces.

    Raises:
        DataError: There are too few Training faces.
    """
    learning = learning_sample(models, training, np.random.default_rng(seed))
    sample = Sample(results=translations(test, translated), real=test)
    return measure_realism(learning, sample, device, seed=seed)


def learning_sample(
    models: TranslationModels, training: Faces, random: np.random.Generator
) -> Sample:
    """Return translations of some Training faces, and as many real faces of each label.

    Each is translated to one random other expression. No real face is a source of a translation, or
    a copy of a source.

    Raises:
        DataError: There are too few Training faces.
    """
    count = min(SOURCES, len(training) // 2)
    chosen = np.zeros(len(training), bool)
    chosen[random.permutation(len(training))[:count]] = True
    sources = training.take(chosen)
    if not len(sources):
        raise DataError(TOO_FEW)
    targets = (sources.labels + random.integers(1, NUM_CLASSES, len(sources))) % NUM_CLASSES
    images = np.empty_like(sources.images)
    for k in np.unique(targets):
        is_target = targets == k
        translated = models.generate(sources.images[is_target], plain_conditions([int(k)]))
        images[is_target] = translated[:, 0]
    results = Faces(images=images, labels=targets.astype(np.uint8), rows=sources.rows)
    real = without_copies(training.take(~chosen), sources)
    sample = balanced(Sample(results=results, real=real), random)
    if not len(sample.real):
        raise DataError(TOO_FEW)
    return sample


def balanced(sample: Sample, random: np.random.Generator) -> Sample:
    """Return as many results as real faces of each label, drawn at random.

    Real faces are repeated where a label has fewer of them than results, at most `REPEATS` times.
    """
    results, real = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for k in range(NUM_CLASSES):
        of_results = random.permutation(np.flatnonzero(sample.results.labels == k))
        of_real = random.permutation(np.flatnonzero(sample.real.labels == k))
        count = min(len(of_results), REPEATS * len(of_real))
        results.append(of_results[:count])
        real.append(np.resize(of_real, count))
    return Sample(
        results=sample.results.take(np.concatenate(results)),
        real=sample.real.take(np.concatenate(real)),
    )


def measure_realism(
    learning: Sample, test: Sample, device: torch.device, *, seed: int = 0, epochs: float = EPOCHS
) -> Realism:
    """Train a critic of each region on one sample and measure it on the other.

    `auc` is the mean over targets of the AUC between a target's results and real faces of that
    label: 0.5 means that they cannot be told apart, 1 always. `floor` is the AUC between two halves
    of those real faces: the effect of chance. A figure without faces is None.
    """
    figures: dict[str, Any] = {"learned_from": len(learning.results)}
    scores = {}
    for name, region in REGIONS.items():
        critic = train_critic(
            learning.results.images, learning.real.images, region, device, seed=seed, epochs=epochs
        )
        scores[name] = critic.score(test.results.images)
        figures[name] = _figures(test, scores[name], critic.score(test.real.images), seed)
    return Realism(figures=figures, results=test.results, scores=scores["whole"])


def _figures(
    test: Sample, results: NDArray[np.float32], real: NDArray[np.float32], seed: int
) -> dict[str, Any]:
    """Return a critic's figures by its logits of the test's results [N] and real faces [M]."""
    random, targets = np.random.default_rng(seed), {}
    for k, emotion in enumerate(EMOTIONS):
        of_results, of_real = results[test.results.labels == k], real[test.real.labels == k]
        halves = np.array_split(random.permutation(of_real), 2)
        targets[emotion] = {
            "results": len(of_results),
            "real": len(of_real),
            "auc": _rounded(roc_auc(of_results, of_real)),
            "error": _rounded(standard_error(of_results, of_real)),
            "floor": _rounded(roc_auc(*halves)),
        }
    means = {
        name: _mean([value for row in targets.values() if (value := row[name]) is not None])
        for name in ("auc", "floor")
    }
    return means | {"targets": targets}


def roc_auc(positive: NDArray[Any], negative: NDArray[Any]) -> float | None:
    """Return how often a positive score lies above a negative one, ties counting half.

    None where there are no scores on one side.
    """
    if not len(positive) or not len(negative):
        return None
    return float(_below(positive, negative).mean())


def standard_error(positive: NDArray[Any], negative: NDArray[Any]) -> float | None:
    """Return the standard error of `roc_auc` (DeLong et al. 1988); None under two scores a side."""
    if len(positive) < 2 or len(negative) < 2:
        return None
    above = 1 - _below(negative, positive)
    variance = _below(positive, negative).var(ddof=1) / len(positive)
    return float(np.sqrt(variance + above.var(ddof=1) / len(negative)))


def _below(scores: NDArray[Any], reference: NDArray[Any]) -> NDArray[np.float64]:
    """Return for each score the fraction of the reference scores below it, ties counting half."""
    ordered = np.sort(reference)
    ranks = np.searchsorted(ordered, scores, "left") + np.searchsorted(ordered, scores, "right")
    return np.asarray(ranks / (2 * len(reference)))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _mean(values: list[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None
