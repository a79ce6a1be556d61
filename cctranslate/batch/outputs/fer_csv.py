"""`--layout fer-csv`: results as rows of one CSV, the form that FER2013 itself comes in.

Lines are joined by hand, not by pandas: each input's are appended when it ends, so that a run can
be killed at any time, and digits and spaces need no quoting.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cctranslate.batch.outputs.layout import TABLE
from cctranslate.batch.outputs.writers import (
    PackedResults,
    ResultToWrite,
    UnplacedResults,
    fingerprint,
    split_around_output,
)
from cctranslate.batch.report.row import Row
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import OutputError
from cctranslate.fer2013 import FERPLUS
from cctranslate.files.writing import AppendOnlyFile, unwritable

_COLUMNS = ("emotion", "pixels", "Usage")
_LEVELS = tuple(map(str, range(256)))
_PIECE = 1 << 20
"""Bytes that are read at once."""


@dataclass(frozen=True, kw_only=True)
class CsvPacker:
    """Packs results as lines of the table."""

    soft_labels: bool
    """Whether a line ends in the judge's probabilities."""
    in_memory: bool = True

    def pack(self, results: Iterable[ResultToWrite]) -> PackedResults:
        """Return the lines of an input's results, which are 48x48 faces."""
        lines, fingerprints = [], {}
        for to_write in results:
            levels = to_write.result.picture.tobytes()
            lines.append(self._line(levels, to_write))
            fingerprints[to_write.output] = fingerprint(levels)
        return PackedResults(content="".join(lines).encode(), fingerprints=fingerprints)

    def _line(self, levels: bytes, to_write: ResultToWrite) -> str:
        pixels = " ".join(map(_LEVELS.__getitem__, levels))
        cells = [str(EMOTIONS.index(to_write.target)), pixels, to_write.usage]
        if self.soft_labels:
            (row,) = to_write.rows  # each face is a result by itself
            assert row.probabilities is not None  # of a result
            cells += map(str, row.probabilities)
        return ",".join(cells) + "\n"


class FerCsvWriter:
    """Appends lines to the table of a run."""

    split_line = staticmethod(split_around_output)

    def __init__(self, out: Path, last: Collection[str], soft_labels: bool) -> None:
        """Continue after the results `last`; later lines have no row and are dropped.

        With `soft_labels` lines also hold the judge's probabilities. An existing table has the same
        columns: a run with another `--soft-labels` is refused.

        Raises:
            OutputError: The results are missing, or later lines cannot be dropped.
        """
        self._path, self.packer = out / TABLE, CsvPacker(soft_labels=soft_labels)
        self._rows = max((int(output.partition(":")[2]) + 1 for output in last), default=0)
        self._file: AppendOnlyFile | None = None
        if last:
            self._file = AppendOnlyFile(self._path, _end(self._path, 1 + self._rows))
            return
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self._path, error) from None

    def add(self, rows: list[Row], content: bytes) -> list[Row]:
        """Append an input's lines.

        Raises:
            OutputError: They cannot be written.
        """
        if not content:
            return rows
        self._append(content)
        return [replace(row, output=self._next_name()) if row.output else row for row in rows]

    def append_inputs(self, inputs: Sequence[UnplacedResults]) -> bytes:
        """Append the lines of some inputs, and return their lines of the report.

        Raises:
            OutputError: They cannot be written.
        """
        if content := b"".join(packed.content for packed in inputs):
            self._append(content)
        lines = []
        for packed in inputs:
            first, *others = packed.pieces
            lines.append(first)
            for piece in others:
                lines += self._next_name().encode(), piece
        return b"".join(lines)

    def _append(self, content: bytes) -> None:
        if self._file is None:
            self._file = AppendOnlyFile(self._path, 0)
            columns = _COLUMNS + (FERPLUS if self.packer.soft_labels else ())
            self._file.add(",".join(columns).encode() + b"\n")
        self._file.add(content)

    def _next_name(self) -> str:
        """Return the output of the next line; lines count from 0, as FER2013's rows do."""
        self._rows += 1
        return f"{TABLE}:{self._rows - 1}"

    def close(self) -> None:
        """Flush the table to disk.

        Raises:
            OutputError: It cannot be flushed.
        """
        if self._file is not None:
            self._file.close()


def _end(path: Path, lines: int) -> int:
    """Return the position in bytes after the first `lines` lines.

    Raises:
        OutputError: There are fewer.
    """
    start = 0
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                ends = piece.count(b"\n")
                if ends >= lines:
                    return start + _position(piece, lines)
                lines -= ends
                start += len(piece)
    except OSError as error:
        raise OutputError(f"{path}: cannot be read: {error.strerror}") from None
    raise OutputError(
        f"{path}: does not hold all that the report names: start anew with --overwrite"
    )


def _position(piece: bytes, lines: int) -> int:
    position = 0
    for _ in range(lines):
        position = piece.index(b"\n", position) + 1
    return position
