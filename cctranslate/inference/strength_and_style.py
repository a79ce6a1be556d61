"""What a translation is conditioned on: a target expression, a style of it, a strength.

A generator was trained on rows of one expression, but takes what lies between them, as GANmut's
expression space is used (d'Apolito et al. 2021): a smile with a trace of surprise is a row
between the two. `evaluate` measures how far styles differ, and how many are confirmed.
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

    `labels` [K,7] are rows that sum to one, `strength` [K] is 0 (leaves the face as it was) to 1
    (in full), `targets` [K] are the emotions' numbers.
    """

    labels: Floats
    strength: Floats
    targets: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.targets)

    @cached_property
    def plain(self) -> NDArray[np.intp]:
        """For each translation the one of its target and strength that has no style [K].

        It is the translation itself if there is none.
        """
        rows = np.arange(len(self))
        has_none = self.labels[rows, self.targets] == 1
        first = {
            (self.targets[k], self.strength[k]): k for k in reversed(rows.tolist()) if has_none[k]
        }
        return np.array(
            [first.get((self.targets[k], self.strength[k]), k) for k in rows.tolist()], np.intp
        )

    def part(self, piece: slice) -> "Conditions":
        """Return some of them."""
        return Conditions(
            labels=self.labels[piece], strength=self.strength[piece], targets=self.targets[piece]
        )


def in_full(targets: Sequence[int] = range(len(EMOTIONS)), strength: float = 1) -> Conditions:
    """Return one translation for each target, all of one strength."""
    return Conditions(
        labels=np.eye(len(EMOTIONS), dtype=np.float32)[list(targets)],
        strength=np.full(len(targets), strength, np.float32),
        targets=np.array(targets, np.intp),
    )


def label(target: str, style: int, seed: int) -> Floats:
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
