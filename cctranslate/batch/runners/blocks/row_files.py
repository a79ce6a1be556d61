"""Store the rows of a block as a Parquet file, written once when the block is finished."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow
from pyarrow import parquet

from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.formats import csv_lines
from cctranslate.batch.report.row import Row
from cctranslate.files.writing import replacing

_COUNTS = b"counts"
_SCHEMA = pyarrow.schema(
    [
        ("number", pyarrow.int64()),
        ("status", pyarrow.string()),
        ("lines", pyarrow.binary()),
        ("content", pyarrow.binary()),
    ]
)


@dataclass(frozen=True, slots=True)
class InputRows:
    """The rows of an input."""

    number: int
    """Its number in the order of the inputs."""
    status: str
    lines: bytes
    """Its lines of the report."""
    content: bytes
    """Its packed results, if they go to a file that all inputs share."""


@dataclass(kw_only=True)
class BlockRows:
    """Collects the rows of a block's inputs, which come in their order."""

    numbers: Sequence[int]
    have_earlier_rows: Sequence[bool]
    """Whether an earlier call wrote rows of each input."""
    rows: list[InputRows] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    content: bytes = b""
    """The packed results of the next input."""

    def add(self, rows: Sequence[Row]) -> None:
        """Add the rows of the next input."""
        number = len(self.rows)
        lines = b"".join(csv_lines(rows))
        self.rows.append(InputRows(self.numbers[number], rows[0].status, lines, self.content))
        self.counts.add(rows, has_earlier_rows=self.have_earlier_rows[number])
        self.content = b""

    def add_lines(self, lines: bytes, counts: Counts) -> None:
        """Refuse lines of several inputs, as a block needs the rows of each."""
        raise NotImplementedError

    def write(self, path: Path) -> None:
        """Write the rows.

        Raises:
            OSError: They cannot be written.
        """
        schema = _SCHEMA.with_metadata({_COUNTS: json.dumps(vars(self.counts)).encode()})
        columns = [[getattr(row, name) for row in self.rows] for name in _SCHEMA.names]
        table = pyarrow.Table.from_arrays(
            [pyarrow.array(c, t.type) for c, t in zip(columns, _SCHEMA, strict=True)],
            schema=schema,
        )
        with replacing(path) as file:
            parquet.write_table(table, file, compression="zstd")


def read_rows(path: Path) -> tuple[Iterator[InputRows], Counts]:
    """Return the rows of a block's inputs, and their counts.

    Raises:
        OSError: They cannot be read.
    """
    with path.open("rb") as file:
        table = parquet.read_table(file)
    return map(InputRows, *(c.to_pylist() for c in table.columns)), _counts(table.schema)


def read_counts(path: Path) -> tuple[int, Counts]:
    """Return the number of a block's inputs, and the counts of their rows.

    Raises:
        OSError: They cannot be read.
    """
    with path.open("rb") as file, parquet.ParquetFile(file) as rows:
        return rows.metadata.num_rows, _counts(rows.schema_arrow)


def _counts(schema: pyarrow.Schema) -> Counts:
    return Counts.from_record(json.loads(schema.metadata[_COUNTS]))
