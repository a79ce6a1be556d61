"""What a run writes, which never becomes an input of it, nor takes the place of one."""

import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path


class OutputPaths:
    """Files that a run writes, and folders with all that is in them."""

    def __init__(self, places: Iterable[Path]) -> None:
        self.places = tuple(places)
        self._real = tuple(map(os.path.realpath, self.places))
        self._folder = lru_cache(1000)(os.path.realpath)

    def holds(self, path: Path) -> bool:
        """Whether a path is one of them or lies in one."""
        # Resolved for its folder alone, once for all that lie there: a list may be long.
        place = os.path.normpath(os.path.join(self._folder(path.parent), path.name))  # noqa: PTH118
        return any(place == own or place.startswith(own + os.sep) for own in self._real)
