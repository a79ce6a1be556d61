"""A face that has the expression which is asked for already is left nearly as it is.

A generator changes such a face, too: it makes a smile of a smile. How much of that is let
through is the judge's word on the face as it came.
"""

import numpy as np

from cctranslate.pixels import Gray, Scaled, to_levels, to_scaled

SURE = 0.7
"""The judge's probability of the target from which on a face is changed by less and less."""


def share(before: Scaled, labels: Scaled) -> Scaled:
    """How much of their changes to label rows [K,7] faces get [N,K]: 1 is all of it.

    `before` [N,7] are the judge's probabilities of the faces.
    """
    sure = before[:, labels.argmax(1)]
    return np.asarray(((1 - sure) / (1 - SURE)).clip(0, 1), np.float32)


def toned(faces: Gray, translated: Gray, shares: Scaled) -> Gray:
    """Translations [N,K,48,48] of faces [N,48,48] with so much of the change as shares [N,K]."""
    less = shares < 1
    if not less.any():
        return translated
    source = to_scaled(faces[np.nonzero(less)[0]])
    change = to_scaled(translated[less]) - source
    toned = translated.copy()
    toned[less] = to_levels(source + shares[less][:, None, None] * change)
    return toned
