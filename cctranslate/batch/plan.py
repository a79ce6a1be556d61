"""What to make of each face, and when that is confirmed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cctranslate.batch.layout import Variant
from cctranslate.emotions import EMOTIONS
from cctranslate.pixels import Scaled


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to make of each face."""

    targets: tuple[str, ...]
    strengths: tuple[float, ...] = (1,)
    min_confidence: float | None = None
    """What the judge must give the target to confirm it; None: the target must win."""

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """The K results of a face, in the order of its rows."""
        return tuple(Variant(target=t, strength=s) for t in self.targets for s in self.strengths)

    @cached_property
    def labels(self) -> Scaled:
        """One row a variant [K,7]: its target's one-hot row times its strength."""
        one_hot = np.eye(len(EMOTIONS), dtype=np.float32)
        rows = [one_hot[EMOTIONS.index(v.target)] * v.strength for v in self.variants]
        return np.stack(rows).astype(np.float32)

    def confirms(self, target: str, probabilities: Scaled) -> bool:
        """Whether probabilities [7] confirm the target."""
        wanted = EMOTIONS.index(target)
        if self.min_confidence is not None:
            return bool(probabilities[wanted] >= self.min_confidence)
        return int(probabilities.argmax()) == wanted
