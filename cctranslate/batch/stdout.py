"""`-o -`: results to standard output."""

import sys
from collections.abc import Callable, Iterable

from cctranslate.batch.report import Row
from cctranslate.batch.shards import END
from cctranslate.batch.writer import Form, OutputError, Placed


class Stdout:
    """A tar of the results, or the bytes of the only one."""

    in_memory = True

    def __init__(self, form: Form, pack: Callable[[Placed], bytes], one: bool) -> None:
        """`pack` makes a result's members; `one`: there is one input, whose only result is bare."""
        self._form, self._pack, self._one = form, pack, one

    def write(self, results: Iterable[Placed]) -> bytes:
        """An input's members, or its only result as it is.

        Raises:
            OSError: the format cannot hold a picture.
        """
        made = list(results)
        if self._one and len(made) == 1:
            return self._form.encode(made[0])
        return b"".join(map(self._pack, made)) + END * self._one

    def add(self, rows: list[Row], content: bytes) -> list[Row]:
        """Write an input's results.

        Raises:
            OutputError: they cannot be written.
            BrokenPipeError: their reader went away.
        """
        _put(content)
        return rows

    def close(self) -> None:
        """End the tar, if it is one of several inputs.

        Raises:
            OutputError: it cannot be written.
            BrokenPipeError: its reader went away.
        """
        _put(END * (not self._one))


def _put(content: bytes) -> None:
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"-o -: cannot be written: {error.strerror}") from None
