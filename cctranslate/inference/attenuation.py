"""Attenuate edits to faces that already show the target expression.

A generator changes such a face, too: it makes a smile of a smile. How much of that is let
through follows from the judge's probability of the target before the edit.
"""

import numpy as np
from numpy.typing import NDArray

from cctranslate.pixels import Gray, Scaled, to_levels, to_scaled

CONFIDENT = 0.7
"""The judge's probability of the target above which a face is changed less and less."""


def fractions(before: Scaled, targets: NDArray[np.intp]) -> Scaled:
    """Return the fraction of each edit to apply [N,K], 1 being all of it.

    `before` [N,7] are the judge's probabilities of the faces, `targets` [K] emotions' numbers.
    """
    confidence = before[:, targets]
    return np.asarray(((1 - confidence) / (1 - CONFIDENT)).clip(0, 1), np.float32)


def attenuate(faces: Gray, translated: Gray, applied: Scaled) -> Gray:
    """Return translations [N,K,48,48] of faces [N,48,48] with `applied` [N,K] of each change."""
    less = applied < 1
    if not less.any():
        return translated
    source = to_scaled(faces[np.nonzero(less)[0]])
    change = to_scaled(translated[less]) - source
    attenuated = translated.copy()
    attenuated[less] = to_levels(source + applied[less][:, None, None] * change)
    return attenuated
