"""What a run writes, which never becomes an input of it, nor takes the place of one."""

import json
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from cctranslate.batch.outputs.folder import RUN
from cctranslate.errors import OptionError


class Own:
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


def refuse_losses(
    out: Path, named: Iterable[str], copies: Iterable[tuple[str, Path | None, Path]]
) -> None:
    """See that no file is written where an input is that no earlier call wrote there.

    `named` are the inputs and the list of them. `copies` are options' names, what they were given
    and where that is.

    Raises:
        OptionError: one would be lost.
    """
    inputs = [(word, Path(word).resolve()) for word in named if os.path.lexists(word)]
    for option, given, place in copies:
        if not place.exists() or _wrote(out, option, given):
            continue
        for word, path in inputs:
            if place.resolve().is_relative_to(path):
                where = (
                    "is an input" if place.resolve() == path else f"is there, and lies in {word}"
                )
                raise OptionError(f"{place} {where}: name another {option}, or move it away")


def _wrote(out: Path, option: str, given: Path | None) -> bool:
    """Whether the run in `out` was given the same before."""
    try:
        told = json.loads((out / RUN).read_text(encoding="utf-8"))["options"]
        earlier = told[option.removeprefix("--")]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False
    return bool(earlier == (None if given is None else str(given)))
