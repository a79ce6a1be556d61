"""The lines of rows that are cut where the writer says later where a result lies."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from cctranslate.batch.outputs.encoding import Encoding, Result
from cctranslate.batch.outputs.file_writer import FileWriter
from cctranslate.batch.outputs.writers import (
    ResultToWrite,
    split_around_output,
    split_before_output,
)
from cctranslate.batch.report.formats import csv_lines
from tests.batch.report.test_schema import DONE

NAMES = ["happy/a.png", 'happy/a,"b".png', "happy/a\nb.png", "happy/\udce9.png", "happy/ä.png"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("source", ["in/a.png", 'in/,"a.png'])
def test_the_parts_of_a_line_are_the_line(name: str, source: str) -> None:
    row = replace(DONE, source=source, output=name)
    (tarred,) = csv_lines([replace(row, output=f"000012.tar:{name}")])
    assert b"000012.tar:".join(split_before_output(row)) == tarred
    assert [b"".join(split_before_output(row))] == list(csv_lines([row]))
    (numbered,) = csv_lines([replace(row, output="fer2013.csv:7")])
    assert b"fer2013.csv:7".join(split_around_output(row)) == numbered


@pytest.mark.skipif(os.name != "posix", reason="elsewhere the error is another one")
def test_the_error_of_a_file_does_not_name_it_so_that_the_summary_can_group_it(
    tmp_path: Path,
) -> None:
    writer = FileWriter(out=tmp_path, encoding=Encoding(format="png", mark=True))
    face, reasons = Result(picture=Image.new("L", (48, 48))), set()
    for letter in "ab":
        name = f"{300 * letter}.png"  # longer than file systems allow
        to_write = ResultToWrite(result=face, output=name, target="happy", rows=(), usage="")
        with pytest.raises(OSError, match=os.strerror(errno.ENAMETOOLONG)) as caught:
            writer.pack([to_write])
        reasons.add(caught.value.strerror)
    assert len(reasons) == 1
