"""Print the warnings of libraries as single lines without source code."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from PIL import Image


@contextmanager
def library_warnings(echo: Callable[[str], object]) -> Iterator[None]:
    """Pass each warning for users to `echo` once, on one line. Most are about faulty metadata."""
    shown: set[str] = set()

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        text = " ".join(str(message).split())
        if text not in shown:
            shown.add(text)
            echo(f"warning: {text}")

    with warnings.catch_warnings():
        _filter()
        warnings.showwarning = show
        yield


@contextmanager
def recorded_warnings() -> Iterator[list[str]]:
    """Yield a list that gets the text of each warning when the block ends, for another process."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        _filter()
        yield texts
    texts += dict.fromkeys(str(warning.message) for warning in caught)


def _filter() -> None:
    warnings.simplefilter("default")
    # These are for a library's programmers: Ray warns of its own settings.
    for category in (DeprecationWarning, PendingDeprecationWarning):
        warnings.simplefilter("ignore", category)
    # A picture with too many pixels gets a row with that reason.
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
