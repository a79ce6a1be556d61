"""The results that each face gets, and which of them are confirmed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cctranslate.emotions import EMOTIONS
from cctranslate.inference.conditions import Conditions, label_row
from cctranslate.pixels import Floats


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One of the results that each face gets."""

    target: str
    strength: float
    """0 leaves the face as it was, 1 translates it in full."""
    sample: int = 1
    """Which of several results for one face, target and strength, from 1."""


def spell_strength(strength: float) -> str:
    """Return a strength as names and reports spell it: `0.5`, `1`."""
    return repr(float(strength)).removesuffix(".0")


def spell_tags(strength: float | None, sample: int | None) -> str:
    """Return what tells a variant from the plain one of its target, such as ` x0.5 s2`."""
    tag = "" if strength in (None, 1) else f" x{spell_strength(strength)}"
    return tag + ("" if sample in (None, 1) else f" s{sample}")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The results to make of each face."""

    targets: tuple[str, ...]
    strengths: tuple[float, ...] = (1,)
    samples: int = 1
    """Results of each face, target and strength, each in another style."""
    best_of: int = 1
    """Candidates for each result; the one with the highest probability of the target stays."""
    seed: int = 0
    """Seed of the styles."""
    min_confidence: float | None = None
    """The probability of the target that confirms it; None: the target must be the likeliest."""

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """The V results of a face, in the order of its rows."""
        return tuple(
            Variant(target=target, strength=strength, sample=sample)
            for target in self.targets
            for strength in self.strengths
            for sample in range(1, self.samples + 1)
        )

    @cached_property
    def conditions(self) -> Conditions:
        """The K candidates of a face, `best_of` for each variant, in the variants' order."""
        candidates = [(v, i) for v in self.variants for i in range(self.best_of)]
        rows = [
            label_row(v.target, (v.sample - 1) * self.best_of + i, self.seed) for v, i in candidates
        ]
        return Conditions(
            labels=np.stack(rows),
            strength=np.array([v.strength for v, _ in candidates], np.float32),
            targets=np.array([EMOTIONS.index(v.target) for v, _ in candidates], np.intp),
        )

    def best(self, probabilities: Floats) -> NDArray[np.intp]:
        """Return the candidate [N,V] to keep of each variant, for probabilities [N,K,7]."""
        targets = self.conditions.targets
        confidence = probabilities[:, np.arange(len(targets)), targets]
        best = confidence.reshape(len(confidence), -1, self.best_of).argmax(2)
        return np.asarray(best + np.arange(best.shape[1]) * self.best_of)

    def confirms(self, target: str, probabilities: Floats) -> bool:
        """Return whether probabilities [7] confirm the target."""
        wanted = EMOTIONS.index(target)
        if self.min_confidence is not None:
            return bool(probabilities[wanted] >= self.min_confidence)
        return int(probabilities.argmax()) == wanted
