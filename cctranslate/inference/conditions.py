"""What a translation is conditioned on: a target expression, a style of it, a strength.

A generator is trained on label rows of one expression, but also takes rows between two: a smile
with a trace of surprise is a style of `happy` (as in GANmut's expression space, d'Apolito et al.
2021). `evaluate` measures how far styles differ, and how many are confirmed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cctranslate.emotions import EMOTIONS
from cctranslate.pixels import Floats

TRACE = (0.15, 0.4)
"""The least and the largest weight of the other expression in a style."""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The K translations that each face gets.

    `labels` [K,7] are rows that sum to one. `strength` [K] goes from 0, which leaves the face
    unchanged, to 1, the full change. `targets` [K] are the expressions' numbers.
    """

    labels: Floats
    strength: Floats
    targets: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.targets)

    @cached_property
    def plain(self) -> NDArray[np.intp]:
        """For each translation [K], the one without a style that has its target and strength.

        It is the translation itself if there is none.
        """
        rows = np.arange(len(self))
        is_plain = self.labels[rows, self.targets] == 1
        first = {
            (self.targets[k], self.strength[k]): k for k in reversed(rows.tolist()) if is_plain[k]
        }
        return np.array(
            [first.get((self.targets[k], self.strength[k]), k) for k in rows.tolist()], np.intp
        )

    def part(self, piece: slice) -> "Conditions":
        """Return the conditions of some of the translations."""
        return Conditions(
            labels=self.labels[piece], strength=self.strength[piece], targets=self.targets[piece]
        )


def plain_conditions(
    targets: Sequence[int] = range(len(EMOTIONS)), strength: float = 1
) -> Conditions:
    """Return the conditions of one translation to each target, without styles."""
    return Conditions(
        labels=np.eye(len(EMOTIONS), dtype=np.float32)[list(targets)],
        strength=np.full(len(targets), strength, np.float32),
        targets=np.array(targets, np.intp),
    )


def label_row(target: str, style: int, seed: int) -> Floats:
    """Return the label row [7], which sums to one, of a target's style; style 0 is the target.

    Styles go through the other expressions in an order that the seed gives, so that few of them
    already differ.
    """
    k = EMOTIONS.index(target)
    row = np.zeros(len(EMOTIONS), np.float32)
    row[k] = 1
    if style:
        others = np.random.default_rng([seed, k]).permutation(np.delete(np.arange(len(row)), k))
        trace = np.random.default_rng([seed, k, style]).uniform(*TRACE)
        row[k] -= trace
        row[others[(style - 1) % len(others)]] = trace
    return row
