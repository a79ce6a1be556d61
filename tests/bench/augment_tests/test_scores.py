"""Figures of students, and bootstrap intervals between arms."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.bench.augment import scores

TRUTH = np.repeat(np.arange(7), 30)


def guessing(right: float, seed: int) -> NDArray[np.int64]:
    """What a student reads who is right in so many faces and elsewhere says the next class."""
    correct = np.random.default_rng(seed).random(len(TRUTH)) < right
    return np.where(correct, TRUTH, (TRUTH + 1) % 7)


def test_figures_of_a_confusion_that_can_be_worked_out() -> None:
    truth = np.array([0, 0, 0, 1, 2, 2, -1])
    read = np.array([0, 0, 1, 1, 2, 3, 6])
    matrix = scores.confusion(truth, read)
    assert matrix.sum() == 6  # the face without a label does not count
    assert scores.accuracy(matrix) == pytest.approx(4 / 6)
    # F1: angry 2*2/(2+3), disgust 2*1/(2+1), fear 2*1/(1+2); the other classes have no faces.
    assert scores.macro_f1(matrix) == pytest.approx((0.8 + 2 / 3 + 2 / 3) / 3)
    assert scores.recalls(matrix)[:3] == pytest.approx([2 / 3, 1, 1 / 2])
    assert scores.FIGURES["rare_recall"](matrix) == pytest.approx(2 / 3)


def test_interval_of_a_clear_gain_lies_above_zero() -> None:
    better = np.stack([guessing(0.8, seed) for seed in range(5)])
    worse = np.stack([guessing(0.5, seed + 9) for seed in range(5)])
    gap = scores.difference(TRUTH, better, worse, "accuracy", draws=200)
    assert 0.1 < gap.low < gap.value < gap.high < 0.5
    assert gap.value == pytest.approx((better == TRUTH).mean() - (worse == TRUTH).mean())


def test_interval_between_equals_holds_zero() -> None:
    first = np.stack([guessing(0.6, seed) for seed in range(4)])
    second = np.stack([guessing(0.6, seed + 40) for seed in range(4)])
    gap = scores.difference(TRUTH, first, second, "macro_f1", draws=200)
    assert gap.low < 0 < gap.high


def test_pairing_takes_away_what_faces_have_in_common() -> None:
    reads = np.stack([guessing(0.6, seed) for seed in range(3)])
    gap = scores.difference(TRUTH, reads, reads, "macro_f1", draws=50)
    assert (gap.low, gap.value, gap.high) == (0, 0, 0)
