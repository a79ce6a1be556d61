"""The results that students train on: made by the package's own inference, and cached on disk."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cctranslate import bundle
from cctranslate.emotions import NUM_CLASSES
from cctranslate.inference.conditions import plain_conditions
from cctranslate.inference.models import TranslationModels
from cctranslate.inference.variants import spell_strength
from cctranslate.pixels import SIZE, Floats, Gray
from cctranslate.training.data.fer2013 import Faces

CHUNK = 64


class Results:
    """A bundle's results of Training faces, by row number, target and strength.

    A file has room for all faces but takes only the room of those that were made. A chunk that a
    kill cut short is made again.
    """

    def __init__(self, folder: Path, count: int, weights: Path | None, device: str) -> None:
        """Open the cache of a bundle in `folder`, with room for rows 0 to `count`.

        Raises:
            BundleError, DeviceError: The bundle cannot be used.
        """
        found = bundle.load(weights or bundle.shipped())
        self.digest = found.digests["generator"][:12]
        self._models = TranslationModels(found, device)
        self._folder, self._count = folder / self.digest, count
        self._folder.mkdir(parents=True, exist_ok=True)

    def translated(
        self, faces: Faces, strength: float, wanted: NDArray[np.bool_]
    ) -> tuple[Gray, Floats]:
        """Return results [N,7,48,48] of faces, and the judge's probabilities [N,7,7] of them.

        Those that are not `wanted` [N,7] are blank where no earlier run made them.
        """
        name = spell_strength(strength)
        pictures = self._open(f"{name}.npy", (NUM_CLASSES, SIZE, SIZE), np.uint8)
        judged = self._open(f"{name}-judged.npy", (NUM_CLASSES, NUM_CLASSES), np.float32)
        done = self._open(f"{name}-done.npy", (NUM_CLASSES,), np.uint8)
        missing = wanted & (done[faces.rows] == 0)
        for targets in np.unique(missing[missing.any(1)], axis=0):
            chosen, numbers = np.flatnonzero((missing == targets).all(1)), np.flatnonzero(targets)
            for start in range(0, len(chosen), CHUNK):
                some = faces.take(chosen[start : start + CHUNK])
                conditions = plain_conditions(numbers.tolist(), strength)
                made = self._models.translate(some.images, conditions).faces
                place = np.ix_(some.rows, numbers)
                pictures[place], judged[place] = made, self._models.judge(made)
                done[place] = 1
        return pictures[faces.rows], judged[faces.rows]

    def judged(self, faces: Faces) -> Floats:
        """Return the judge's probabilities [N,7] of the faces themselves."""
        found = self._open("faces-judged.npy", (NUM_CLASSES,), np.float32)
        missing = np.flatnonzero(found[faces.rows].sum(1) == 0)
        if len(missing):
            some = faces.take(missing)
            found[some.rows] = self._models.judge(some.images)
        return np.asarray(found[faces.rows])

    def _open(self, name: str, shape: tuple[int, ...], type: type) -> NDArray[Any]:
        path = self._folder / name
        if path.exists():
            stored: NDArray[Any] = np.load(path, mmap_mode="r+")
            return stored
        opened: NDArray[Any] = np.lib.format.open_memmap(
            path, mode="w+", dtype=type, shape=(self._count, *shape)
        )
        return opened
