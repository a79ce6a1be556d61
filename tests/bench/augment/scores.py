"""Figures of runs, and paired bootstrap intervals of differences between arms."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cctranslate.emotions import NUM_CLASSES

DRAWS = 2000


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float


def confusion(
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return how often [7,7] faces of each label are read as each; faces of label -1 count not."""
    held = truth >= 0
    flat = truth[held] * NUM_CLASSES + predicted[held]
    counted = np.bincount(
        flat, None if weights is None else weights[held], minlength=NUM_CLASSES**2
    )
    return counted.reshape(NUM_CLASSES, NUM_CLASSES).astype(float)


def accuracy(matrix: NDArray[np.float64]) -> float:
    """Return the fraction of faces that are read as their label."""
    return float(np.trace(matrix) / matrix.sum())


def recalls(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the recall [7] of each class; 0 for one without faces."""
    return np.asarray(np.diag(matrix) / matrix.sum(1).clip(1e-9))


def macro_f1(matrix: NDArray[np.float64]) -> float:
    """Return the mean F1 of the classes that have faces."""
    f1 = 2 * np.diag(matrix) / (matrix.sum(0) + matrix.sum(1)).clip(1e-9)
    return float(f1[matrix.sum(1) > 0].mean())


FIGURES: dict[str, Callable[[NDArray[np.float64]], float]] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    # Disgust and fear have too few faces to tell apart one by one.
    "rare_recall": lambda m: float(np.diag(m)[1:3].sum() / m[1:3].sum().clip(1e-9)),
}


def difference(
    truth: NDArray[np.int64],
    arm: NDArray[np.int64],
    other: NDArray[np.int64],
    figure: str,
    draws: int = DRAWS,
) -> Interval:
    """Return how much an arm's figure is above another's, over paired seeds and faces.

    `arm` and `other` [S,N] are what students of the same S seeds read in the same N faces. The
    bootstrap draws seeds and faces with replacement, both arms alike.
    """
    measure = FIGURES[figure]

    def mean_gap(seeds: NDArray[np.int64], weights: NDArray[np.float64] | None) -> float:
        gaps = [
            measure(confusion(truth, arm[s], weights))
            - measure(confusion(truth, other[s], weights))
            for s in seeds
        ]
        return float(np.mean(gaps))

    random, seeds = np.random.default_rng(0), np.arange(len(arm))
    n = len(truth)
    drawn = [
        mean_gap(
            random.choice(seeds, len(seeds)),
            np.bincount(random.integers(n, size=n), minlength=n).astype(float),
        )
        for _ in range(draws)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(value=mean_gap(seeds, None), low=float(low), high=float(high))
