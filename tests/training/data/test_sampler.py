"""In which order faces are drawn."""

import numpy as np

from cctranslate.training.data.sampler import evenly


def test_any_beginning_has_as_many_of_each_class() -> None:
    classes = np.array([0] * 50 + [1] * 3 + [2] * 10 + [-1] * 5)
    order = evenly(classes, 0)
    assert sorted(order.tolist()) == list(range(63))
    assert np.bincount(classes[order[:9]]).tolist() == [3, 3, 3]
    assert np.bincount(classes[order[:15]]).tolist() == [6, 3, 6]
    assert order.tolist() != evenly(classes, 1).tolist()
