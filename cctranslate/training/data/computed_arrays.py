"""Compute arrays of a set of faces once and store them in a file, because they take minutes."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cctranslate.files.writing import replacing

Arrays = dict[str, NDArray[Any]]


def load_or_compute(
    path: Path, inputs: Iterable[NDArray[Any]], compute: Callable[[], Arrays]
) -> Arrays:
    """Return the arrays that `path` stores for these inputs; if there are none, compute them.

    `inputs` are what the arrays are computed from, such as faces; the file holds their SHA-256.
    """
    hashed = hashlib.sha256()
    for values in inputs:
        hashed.update(np.ascontiguousarray(values).data)
    digest = hashed.hexdigest()
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
