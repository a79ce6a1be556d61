"""Draw pictures of translations to look at."""

import numpy as np
from PIL import Image

from cctranslate.emotions import NUM_CLASSES
from cctranslate.pixels import SIZE, Gray
from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.metrics.realism import Realism


def translation_sheet(faces: Gray, translated: Gray, rows: int = 12) -> Image.Image:
    """Draw some of the faces [N,48,48], evenly spread, each before its translations [N,7,48,48]."""
    chosen = np.linspace(0, len(faces) - 1, min(rows, len(faces))).astype(int)
    return _enlarged(
        np.concatenate([np.concatenate([faces[i], *translated[i]], axis=1) for i in chosen])
    )


def surest_sheet(realism: Realism, sources: Faces, columns: int = 10) -> Image.Image:
    """Draw the results that the whole-face critic is surest of, each to the right of its source.

    A row has the results of one target, in FER2013's order, the surest first. A target with
    fewer results than `columns` leaves the rest of its row white.
    """
    results = realism.results
    source = {int(row): image for row, image in zip(sources.rows, sources.images, strict=True)}
    gap = 4
    wide, high = 2 * SIZE + gap, SIZE + gap
    sheet = np.full((NUM_CLASSES * high, columns * wide), 255, np.uint8)
    for k in range(NUM_CLASSES):
        of_target = np.flatnonzero(results.labels == k)
        order = np.argsort(-realism.scores[of_target], kind="stable")
        for j, i in enumerate(of_target[order][:columns]):
            pair = np.concatenate([source[int(results.rows[i])], results.images[i]], axis=1)
            sheet[k * high : k * high + SIZE, j * wide : j * wide + 2 * SIZE] = pair
    return _enlarged(sheet)


def _enlarged(sheet: Gray) -> Image.Image:
    picture = Image.fromarray(sheet)
    return picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.BICUBIC)
