"""What to make of each face, and when that is confirmed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cctranslate.batch.outputs.layout import Variant
from cctranslate.emotions import EMOTIONS
from cctranslate.inference import conditioning
from cctranslate.pixels import Scaled


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to make of each face."""

    targets: tuple[str, ...]
    strengths: tuple[float, ...] = (1,)
    samples: int = 1
    """Results of each face, target and strength, each in a style of its own."""
    best_of: int = 1
    """Tries for each result, of which the one that the judge is surest of is kept."""
    seed: int = 0
    """What styles there are."""
    min_confidence: float | None = None
    """What the judge must give the target to confirm it; None: the target must win."""

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """The K results of a face, in the order of its rows."""
        return tuple(
            Variant(target=target, strength=strength, sample=sample)
            for target in self.targets
            for strength in self.strengths
            for sample in range(1, self.samples + 1)
        )

    @cached_property
    def labels(self) -> Scaled:
        """One row a try [K,7], `best_of` of them a variant: its style's row times its strength."""
        rows = [
            conditioning.label(v.target, (v.sample - 1) * self.best_of + attempt, self.seed)
            * v.strength
            for v in self.variants
            for attempt in range(self.best_of)
        ]
        return np.stack(rows).astype(np.float32)

    def best(self, probabilities: Scaled) -> NDArray[np.intp]:
        """Which try [N,V] to keep of each variant, for the tries' probabilities [N,K,7]."""
        wanted = [EMOTIONS.index(v.target) for v in self.variants for _ in range(self.best_of)]
        sure = probabilities[:, np.arange(len(wanted)), wanted]
        best = sure.reshape(len(sure), -1, self.best_of).argmax(2)
        return np.asarray(best + np.arange(best.shape[1]) * self.best_of)

    def confirms(self, target: str, probabilities: Scaled) -> bool:
        """Whether probabilities [7] confirm the target."""
        wanted = EMOTIONS.index(target)
        if self.min_confidence is not None:
            return bool(probabilities[wanted] >= self.min_confidence)
        return int(probabilities.argmax()) == wanted
