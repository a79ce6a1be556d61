"""`-o -`: results to standard output."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from cctranslate.batch.outputs.webdataset import END, member
from cctranslate.batch.outputs.writers import Form, Packer, Placed
from cctranslate.batch.report.schema import Row
from cctranslate.errors import OutputError


@dataclass(frozen=True, kw_only=True)
class Members:
    """An input's results as a tar's members; of the only input a tar, or its one result bare."""

    form: Form
    one: bool
    in_memory: bool = True

    def write(self, results: Iterable[Placed]) -> bytes:
        """An input's members, or its only result as it is.

        Raises:
            OSError: the format cannot hold a picture.
        """
        made = list(results)
        if self.one and len(made) == 1:
            return self.form.encode(made[0])
        packed = (member(placed.place, self.form.encode(placed)) for placed in made)
        return b"".join(packed) + END * self.one


class Stdout:
    """A tar of the results, or the bytes of the only one."""

    def __init__(self, packer: Packer, one: bool) -> None:
        """`one`: there is one input, and its results are whole as they come."""
        self.packer, self._one = packer, one

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
