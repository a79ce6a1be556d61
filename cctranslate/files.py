"""A file that is only added to, so that a run that was killed goes on from where it was whole."""

import os
from pathlib import Path

from cctranslate.errors import OutputError


class Appended:
    """What is added to a file stands there whole, or not at all."""

    def __init__(self, path: Path, end: int) -> None:
        """Open the file, or make it, and drop what stands in it after `end`.

        Raises:
            OutputError: it cannot be written.
        """
        self.path, self.end = path, end
        try:
            self._file = path.open("r+b" if path.exists() else "w+b", buffering=0)
            self._file.truncate(end)
            self._file.seek(end)
        except OSError as error:
            raise self._refusal(error) from None

    def add(self, content: bytes) -> None:
        """Write at the end.

        Raises:
            OutputError: it cannot be written; the file is as it was.
        """
        left = memoryview(content)
        try:
            while left:
                left = left[self._file.write(left) :]
        except BaseException as error:
            self._file.truncate(self.end)
            self._file.seek(self.end)
            if isinstance(error, OSError):
                raise self._refusal(error) from None
            raise
        self.end += len(content)

    def close(self) -> None:
        """Make sure that it is on disk, and still where it was made.

        Raises:
            OutputError: it is not.
        """
        try:
            with self._file:
                os.fsync(self._file.fileno())
                own = os.fstat(self._file.fileno())
            if not os.path.samestat(own, self.path.stat()):
                raise OutputError(f"{self.path}: another file took its place")
        except OSError as error:
            raise self._refusal(error) from None

    def _refusal(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path}: cannot be written: {error.strerror}")
