"""Attenuate edits to faces that already show the target expression.

A generator changes such a face, too: it makes a smile of a smile. The fraction of that change that
is applied follows from the judge's probability of the target before the edit.
"""

import numpy as np
from numpy.typing import NDArray

from cctranslate.pixels import Floats, Gray, to_levels, to_scaled

CONFIDENT = 0.7
"""The judge's probability of the target above which a face is changed less and less."""


def fractions(source_probabilities: Floats, targets: NDArray[np.intp]) -> Floats:
    """Return the fraction of each edit to apply [N,K], 1 being all of it.

    `source_probabilities` [N,7] are the judge's of the faces, `targets` [K] the expressions'
    numbers.
    """
    confidence = source_probabilities[:, targets]
    return np.asarray(((1 - confidence) / (1 - CONFIDENT)).clip(0, 1), np.float32)


def attenuate(
    faces: Gray, translated: Gray, applied: Floats, plain: NDArray[np.intp] | None = None
) -> Gray:
    """Return attenuated translations [N,K,48,48] of faces.

    Args:
        faces: The faces [N,48,48].
        translated: Their translations [N,K,48,48].
        applied: The fraction of each change to apply [N,K].
        plain: For each translation the one without a style [K], if some have styles. Only the
            change to that one is attenuated: otherwise all styles of a face would be equal.
    """
    face, k = np.nonzero(applied < 1)
    if not len(face):
        return translated
    source, styled = to_scaled(faces[face]), to_scaled(translated[face, k])
    base = styled if plain is None else to_scaled(translated[face, plain[k]])
    fraction = applied[face, k][:, None, None]
    attenuated = translated.copy()
    attenuated[face, k] = to_levels(source + fraction * (base - source) + (styled - base))
    return attenuated


def attenuate_edits(edits: Floats, applied: Floats, plain: NDArray[np.intp]) -> None:
    """Attenuate edits [N,K,4,48,48] in place, as `attenuate` does translations."""
    face, k = np.nonzero(applied < 1)
    edits[face, k] -= (1 - applied[face, k])[:, None, None, None] * edits[face, plain[k]]
