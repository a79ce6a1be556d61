"""The lines of rows that are cut where the writer says later where a result lies."""

from dataclasses import replace

import pytest

from cctranslate.batch.outputs.writers import split_around_output, split_before_output
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
