"""A report as Parquet holds what its rows hold."""

import dataclasses
import math
import os
from pathlib import Path

from pyarrow import parquet

from cctranslate.batch.report import formats
from cctranslate.batch.report.cell_types import readable
from cctranslate.batch.report.parquet import write_parquet
from cctranslate.batch.report.schema import COLUMNS, to_record
from tests.batch.report.test_schema import DONE, FAILED

ROWS = [
    DONE,
    FAILED,
    dataclasses.replace(DONE, source="NA", score=None, source_mtime_ns=None),
    dataclasses.replace(DONE, source='a "quoted", \r\n name', score=math.nan),
    dataclasses.replace(FAILED, source="null", source_label="sad", reason="a\rb"),
    dataclasses.replace(FAILED, source=os.fsdecode(b"caf\xe9.png")),
    dataclasses.replace(DONE, source="é", confirmed=False, strength=0.1 + 0.2),
]


def expected() -> list[dict[str, object]]:
    return [
        {k: readable(v) if isinstance(v, str) else v for k, v in to_record(row).items()}
        for row in ROWS
    ]


def test_rows_and_a_report_give_the_same_values_with_types(tmp_path: Path) -> None:
    formats.write(ROWS, tmp_path / "r.csv")
    formats.write(ROWS, tmp_path / "rows.parquet")
    formats.copy(tmp_path / "r.csv", tmp_path / "copy.parquet")
    with (tmp_path / "small.parquet").open("wb") as file:
        write_parquet([tmp_path / "r.csv"], file, group=2)
    for name in ("rows", "copy", "small"):
        table = parquet.read_table(tmp_path / f"{name}.parquet")
        assert table.to_pylist() == expected()
        assert [str(kind) for kind in table.schema.types] == [c.type.arrow for c in COLUMNS]
    assert parquet.ParquetFile(tmp_path / "small.parquet").num_row_groups == 4


def test_a_report_without_rows_has_the_columns(tmp_path: Path) -> None:
    formats.write([], tmp_path / "r.parquet")
    table = parquet.read_table(tmp_path / "r.parquet")
    assert (table.num_rows, table.num_columns) == (0, len(COLUMNS))
