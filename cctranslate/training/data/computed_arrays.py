"""Compute arrays of a set of faces once and store them in a file, because they take minutes."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cctranslate.files.writing import replacing
from cctranslate.pixels import Gray

Arrays = dict[str, NDArray[Any]]


def load_or_compute(path: Path, images: Gray, compute: Callable[[], Arrays]) -> Arrays:
    """Return the arrays that `path` stores for these images; if there are none, compute them.

    `images` are faces [N,48,48] uint8; the file holds their SHA-256.
    """
    digest = hashlib.sha256(images.tobytes()).hexdigest()
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            if str(stored["images"]) == digest:
                return {name: stored[name] for name in stored.files if name != "images"}
    except Exception:  # zipfile and numpy's header each raise others
        pass  # not there yet, or damaged: computed again below
    arrays = compute()
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as out:
        np.savez(out, allow_pickle=False, images=np.array(digest), **arrays)
    return arrays
