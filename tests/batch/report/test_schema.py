"""Rows keep their types in every format, and no other row is taken for one."""

import csv
import dataclasses
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from cctranslate.batch.report import formats
from cctranslate.batch.report.cell_types import name_from_text
from cctranslate.batch.report.row import Disposition, Row
from cctranslate.batch.report.schema import NAMES, csv_line, from_cells, to_cells, to_record

DONE = Row(
    source="in/a, b.png",
    faces=1,
    face=1,
    box=(1, 2, 30, 40),
    score=0.91,
    target="happy",
    output="happy/a, b.png",
    status="done",
    predicted="happy",
    confidence=0.75,
    confirmed=True,
    probabilities=(0.05, 0.05, 0.05, 0.75, 0.05, 0.05, 0.0),
    source_label="sad",
    source_predicted="sad",
    strength=1.0,
    sample=1,
    width=100,
    height=80,
    mode="RGB",
    source_sha256="0" * 64,
    ms=3.25,
    result_name="a, b",
    disposition=Disposition.WRITTEN,
    source_size=5_000_000_000,
    source_mtime_ns=1_700_000_000_123_456_789,
    output_size=812,
    output_sha256="1" * 64,
    results_per_face=1,
)
FAILED = Row(source="in/b.png", status="failed", reason="decode: truncated", source_size=9)
SKIPPED = dataclasses.replace(FAILED, status="skipped")


@pytest.mark.parametrize("row", [DONE, FAILED, SKIPPED])
def test_a_row_comes_back_from_its_cells(row: Row) -> None:
    cells = to_cells(row)
    assert len(cells) == len(NAMES)
    assert from_cells(cells) == row


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        (b"caf\xe9.png", "caf\\xe9.png"),
        ("caf\u00e9.png".encode(), "caf\u00e9.png"),
        (rb"caf\xe9.png", r"caf\x5cxe9.png"),
        (rb"a\x5cb.png", r"a\x5cx5cb.png"),
        (rb"C:\xyz.png", r"C:\xyz.png"),
        (b"\xff\\x41", r"\xff\x5cx41"),
        (b'=HYPERLINK("http://a.b")', r'\x3dHYPERLINK("http://a.b")'),
        (b"-1\\x41\xff=.png", r"\x2d1\x5cx41\xff=.png"),
        (b"@a.png", r"\x40a.png"),
        (b"\t=1.png", "\\x09=1.png"),
    ],
)
def test_odd_names_come_back(name: bytes, cell: str) -> None:
    row = dataclasses.replace(FAILED, source=name.decode("utf-8", "surrogateescape"))
    cells = to_cells(row)
    assert cells[0] == cell
    assert cells[0].encode()  # as UTF-8, which pandas and others read
    assert from_cells(cells) == row
    in_json = to_record(row)["source"]
    assert in_json.encode()
    assert name_from_text(in_json) == row.source


def test_cells_are_spelled_for_people_and_records_for_programs() -> None:
    cells = dict(zip(NAMES, to_cells(DONE), strict=True))
    assert (cells["confirmed"], cells["strength"], cells["box"]) == ("true", "1", "1 2 30 40")
    assert cells["disposition"] == "written"
    record = to_record(DONE)
    assert (record["confirmed"], record["strength"], record["p_happy"]) == (True, 1.0, 0.75)
    assert record["box"] == "1 2 30 40"
    assert to_record(FAILED)["confirmed"] is None


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("status", "ended"),
        ("status", ""),
        ("source", ""),
        ("target", "joyful"),
        ("face", "-1"),
        ("face", "1_0"),
        ("faces", "²"),
        ("faces", "9" * 10),
        ("width", ""),
        ("box", "1 2 3"),
        ("box", "1 2 3 x"),
        ("confidence", "1e999"),
        ("confidence", " 1"),
        ("confidence", "inf"),
        ("confirmed", "True"),
        ("p_sad", ""),
        ("predicted", ""),
        ("disposition", "lost"),
        ("source_mtime_ns", "9" * 25),
        ("source_sha256", "53c5f6@5"),
    ],
)
def test_a_cell_that_no_run_writes_is_refused(name: str, cell: str) -> None:
    cells = dict(zip(NAMES, to_cells(DONE), strict=True)) | {name: cell}
    with pytest.raises(ValueError):
        from_cells(list(cells.values()))


@pytest.mark.parametrize("cells", [[], to_cells(DONE)[:-1], [*to_cells(DONE), ""]])
def test_another_number_of_cells_is_refused(cells: list[str]) -> None:
    with pytest.raises(ValueError):
        from_cells(cells)


def test_a_failed_row_has_no_result() -> None:
    with pytest.raises(ValueError):
        from_cells(to_cells(dataclasses.replace(DONE, status="failed")))


def written(rows: list[Row], path: Path) -> Any:
    formats.write(rows, path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    return path


def test_a_score_that_is_no_number_is_null(tmp_path: Path) -> None:
    row = dataclasses.replace(DONE, score=math.nan, confidence=math.nan)
    (tmp_path / "a").mkdir()
    found = parquet.read_table(written([row, FAILED], tmp_path / "a" / "r.parquet"))
    assert found["score"].to_pylist() == [None, None]
    assert found["source_mtime_ns"].to_pylist() == [DONE.source_mtime_ns, None]
    (tmp_path / "b").mkdir()
    (line,) = written([row], tmp_path / "b" / "r.jsonl").read_text().splitlines()
    assert json.loads(line, parse_constant=pytest.fail)["score"] is None
    (tmp_path / "c").mkdir()
    (back,) = formats.read(written([row], tmp_path / "c" / "r.csv"))
    assert back.score is not None
    assert math.isnan(back.score)


@pytest.mark.parametrize(
    "cells",
    [
        ["a", "b"],
        ["", ""],
        ["a,", "b"],
        ['"', "b"],
        ["a\n", ""],
        ["\r", "b"],
        [" a", "b "],
        [""],
        ["a"],
    ],
)
def test_a_line_is_as_the_csv_module_writes_it(cells: list[str]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    assert csv_line(cells) == text.getvalue().removesuffix("\r\n") + "\n"
