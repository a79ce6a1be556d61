"""Store draws in a file for each step, so that a killed run can resume."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cctranslate.errors import RunError
from cctranslate.files.writing import replacing
from cctranslate.pixels import Gray
from cctranslate.training.data.computed_arrays import Arrays

FOLDER = "draws"
KEPT = "pairs.npz"
_STORED_NAMES = {"spec_indices": "ways", "target_probabilities": "chances"}
"""Fields that have another name in files."""


@dataclass(frozen=True, kw_only=True)
class Draws:
    """M draws: results of the translator or the teacher, with their origin and measurements."""

    images: Gray
    """[M,48,48]"""
    sources: NDArray[np.int64]
    """[M]: which of the Training faces."""
    targets: NDArray[np.int64]
    """[M]: the expression that a face was translated to."""
    spec_indices: NDArray[np.int64]
    """[M]: which of the recipe's `draws`."""
    target_probabilities: NDArray[np.float32]
    """[M]: by the guides' mean."""
    cosines: NDArray[np.float32]
    """[M]: similarity to the source by the face recognizer."""

    def __len__(self) -> int:
        return len(self.images)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Draws":
        """Return some of the draws, by mask or indices."""
        return Draws(**{name: values[chosen] for name, values in vars(self).items()})


def joined(parts: list[Draws]) -> Draws:
    """Return all draws of the parts, in their order."""
    names = vars(parts[0])
    return Draws(**{name: np.concatenate([vars(part)[name] for part in parts]) for name in names})


def path_of(folder: Path, step: int) -> Path:
    """Return the file of a step's draws."""
    return folder / FOLDER / f"{step:05d}.npz"


def write(path: Path, draws: Draws) -> None:
    """Write draws whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, **to_arrays(draws))


def to_arrays(draws: Draws) -> Arrays:
    """Return the arrays of draws by their names in files."""
    return {_STORED_NAMES.get(name, name): values for name, values in vars(draws).items()}


def read(path: Path) -> Draws:
    """Return the draws that `write` wrote, or those in a run's `pairs.npz`.

    Raises:
        RunError: Not there, or damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            names = [field.name for field in fields(Draws)]
            return Draws(**{name: arrays[_STORED_NAMES.get(name, name)] for name in names})
    except Exception as error:  # zipfile, zlib and numpy's header each raise others
        raise RunError(f"{path}: cannot be read ({error}): remove it and resume the run") from None
