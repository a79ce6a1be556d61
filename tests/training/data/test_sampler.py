"""In which order faces are drawn."""

import numpy as np
import pytest

from cctranslate.training.data.sampler import Sampler, evenly


def test_any_beginning_has_as_many_of_each_class() -> None:
    classes = np.array([0] * 50 + [1] * 3 + [2] * 10 + [-1] * 5)
    order = evenly(classes, 0)
    assert sorted(order.tolist()) == list(range(63))
    assert np.bincount(classes[order[:9]]).tolist() == [3, 3, 3]
    assert np.bincount(classes[order[:15]]).tolist() == [6, 3, 6]
    assert order.tolist() != evenly(classes, 1).tolist()


def test_an_emphasized_class_is_drawn_more_often() -> None:
    classes = np.repeat(np.arange(7), [90, 1, 30, 30, 30, 30, 30])
    emphasis = np.array([1.0, 1, 1, 1, 1, 1, 2])
    sampler = Sampler(classes, 800, balance=1.0, seed=0, emphasis=emphasis)
    counts = np.bincount(classes[sampler.batch(0)], minlength=7)
    assert counts.tolist() == pytest.approx([100] * 6 + [200], abs=35)
