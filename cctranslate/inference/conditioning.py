"""Several plausible results for one face and expression: a style is a trace of another one.

A generator was trained on rows of one expression, but takes what lies between them, as GANmut's
expression space is used (d'Apolito et al. 2021): a smile with a trace of surprise is a row
between the two. `evaluate` measures how far styles differ, and how many are confirmed.
"""

import numpy as np

from cctranslate.emotions import EMOTIONS
from cctranslate.pixels import Scaled

TRACE = (0.15, 0.4)
"""How much of the other expression a style may have."""


def label(target: str, style: int, seed: int) -> Scaled:
    """The label row [7], which sums to one, of a target's style; style 0 is the target alone.

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
