"""The picture of a step's draws."""

import numpy as np
from PIL import Image

from cctranslate.pixels import Gray
from cctranslate.training.pairs.store import Draws

FACES = 8
"""Most faces of a sheet."""


def draw_sheet(draws: Draws, images: Gray) -> Image.Image:
    """Draw a row for each of some faces [N,48,48]: the face, then its draws by target and spec."""
    rows = []
    for source in np.unique(draws.sources)[:FACES]:
        of_face = draws.take(draws.sources == source)
        order = np.lexsort((of_face.spec_indices, of_face.targets))
        rows.append(np.hstack([images[source], *of_face.images[order]]))
    width = max(row.shape[1] for row in rows)  # hard faces have fewer draws
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1])), constant_values=255) for row in rows]
    return Image.fromarray(np.vstack(padded))
