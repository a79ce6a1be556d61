"""Choose the faces of a step by seed and step alone, so that resuming is exact.

Not by torchdata's stateful loaders, which have to restore a position.
"""

import numpy as np
from numpy.typing import NDArray

from cctranslate.emotions import NUM_CLASSES
from cctranslate.errors import DataError

Indices = NDArray[np.int64]


class Sampler:
    """Draws batches of `size` indices from labeled faces.

    With `balance` 0 each epoch is one pass over the faces, shuffled or in order. Otherwise faces
    are drawn at random, by the size of their class to the power of -`balance` times the
    `emphasis` [7] of their class. Classes [N] int64.
    """

    def __init__(
        self,
        classes: Indices,
        size: int,
        balance: float,
        seed: int,
        shuffle: bool = True,
        emphasis: NDArray[np.float64] | None = None,
    ) -> None:
        """Take the faces' classes.

        Raises:
            DataError: There are no faces.
        """
        if not len(classes):
            raise DataError(
                "no Training face is left to learn from: the votes call them no faces, or none has "
                "an expression that the recipe takes"
            )
        self.shuffle = shuffle
        self.classes, self.size, self.balance, self.seed = classes, size, balance, seed
        counts = np.bincount(classes, minlength=NUM_CLASSES).clip(1)
        chance = counts[classes] ** -balance
        if emphasis is not None:
            chance = chance * emphasis[classes]
        self._cumulative = np.cumsum(chance / chance.sum())
        self._by_class = [np.flatnonzero(classes == c) for c in range(NUM_CLASSES)]
        self._epoch: tuple[int, Indices] = (-1, np.empty(0, np.int64))

    @property
    def steps_per_epoch(self) -> int:
        """Full batches in one pass over the faces."""
        return max(1, len(self.classes) // self.size)

    def batch(self, step: int) -> Indices:
        """Return the indices [size] of a step's faces."""
        if self.balance:
            return self._draw(self._random(step, 0).random(self.size))
        epoch, position = divmod(step, self.steps_per_epoch)
        if self._epoch[0] != epoch:
            n = len(self.classes)
            order = self._random(epoch, 1).permutation(n) if self.shuffle else np.arange(n)
            self._epoch = (epoch, order)
        return self._epoch[1][position * self.size : (position + 1) * self.size]

    def partners(self, step: int, targets: Indices) -> Indices:
        """Draw a real face for each target class [N]; any face if the class has none."""
        random = self._random(step, 2)
        everyone = np.arange(len(self.classes))
        pools = [self._by_class[t] if len(self._by_class[t]) else everyone for t in targets]
        return np.array([pool[random.integers(len(pool))] for pool in pools], np.int64)

    def _draw(self, uniform: NDArray[np.float64]) -> Indices:
        indices = np.searchsorted(self._cumulative, uniform, side="right")
        return indices.clip(max=len(self.classes) - 1)

    def _random(self, number: int, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, purpose, number])


def evenly(classes: Indices, seed: int) -> Indices:
    """Return shuffled indices of classes [N], so that every prefix is balanced over classes.

    Small classes run out earlier. Faces of class -1 are left out.
    """
    order = np.random.default_rng(seed).permutation(len(classes))
    order = order[classes[order] >= 0]
    # Sorted by each face's number within its class: one of every class, then the next of each.
    numbers = np.empty(len(order), np.int64)
    for k in range(NUM_CLASSES):
        mine = classes[order] == k
        numbers[mine] = np.arange(mine.sum())
    return order[np.argsort(numbers, kind="stable")]
