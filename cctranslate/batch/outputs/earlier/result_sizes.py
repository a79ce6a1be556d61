"""Look up the sizes of results, by which a run notices that one is gone or was altered."""

from functools import cached_property
from pathlib import Path

from cctranslate.files import remote


class ResultSizes:
    """Finds the size of results below a folder on a disk or in a store."""

    def __init__(self, destination: Path) -> None:
        self._destination = destination

    def find(self, output: str) -> int | None:
        """Return the bytes of a result; None if it is gone."""
        if remote.is_remote(self._destination):
            return self._listed.get(output)
        try:
            return (self._destination / output).stat().st_size
        except OSError:
            return None

    @cached_property
    def _listed(self) -> dict[str, int]:
        """Sizes from listing the store, which takes fewer requests than asking for each result."""
        return remote.sizes(self._destination)
