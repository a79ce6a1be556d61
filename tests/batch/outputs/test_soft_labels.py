"""`--soft-labels`: the judge's probabilities as columns of `--layout fer-csv`."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate.emotions import EMOTIONS
from cctranslate.training.data.fer2013 import load
from cctranslate.training.data.ferplus import load_votes, soft_labels
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows

LAYOUT = ("--layout", "fer-csv")
SOFT = (*LAYOUT, "--soft-labels")
COLUMNS = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
"""FER+'s names, in the order of FER2013's labels."""


def table(content: str) -> list[dict[str, str]]:
    return list(csv.DictReader(content.splitlines()))


def assert_labels_are_the_reports(out: Path, content: str) -> None:
    lines, found = table(content), [row for row in rows(out) if row["output"]]
    assert list(lines[0]) == ["emotion", "pixels", "Usage", *COLUMNS]
    assert len(lines) == len(found)
    for row in found:
        line = lines[int(row["output"].partition(":")[2])]
        assert EMOTIONS[int(line["emotion"])] == row["target"]
        for column, emotion in zip(COLUMNS, EMOTIONS, strict=True):
            assert float(line[column]) == float(row[f"p_{emotion}"])
        assert sum(float(line[column]) for column in COLUMNS) == pytest.approx(1, abs=1e-5)


def test_the_columns_have_the_probabilities_of_the_report(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    Image.fromarray(np.full((48, 48), 255, np.uint8)).save(faces / "angry" / "0.png")
    out, plain = tmp_path / "out", tmp_path / "plain"
    assert run(faces, "--to", "happy,sad", "-o", out, *SOFT).exit_code == 0
    content = (out / "fer2013.csv").read_text()
    assert_labels_are_the_reports(out, content)
    read = {max(COLUMNS, key=lambda column: float(line[column])) for line in table(content)}
    assert read == {"happiness", "sadness", "neutral"}, "the bright face is neutral to the judge"
    run(faces, "--to", "happy,sad", "-o", plain, *LAYOUT)
    lines = (plain / "fer2013.csv").read_text().splitlines()
    assert [line.rsplit(",", 7)[0] for line in content.splitlines()] == lines


def test_a_second_call_adds_lines_of_the_same_columns(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "happy", "-o", out, *SOFT)
    Image.fromarray(pictures.draw_face(6, 5)).save(faces / "fear" / "2.png")
    assert run(faces, "--to", "happy,sad", "-o", out, *SOFT).exit_code == 0
    assert len(rows(out)) == 14
    assert_labels_are_the_reports(out, (out / "fer2013.csv").read_text())


@pytest.mark.parametrize(("first", "second"), [(LAYOUT, SOFT), (SOFT, LAYOUT)])
def test_a_table_of_other_columns_is_left(
    run: Run, faces: Path, tmp_path: Path, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "happy", "-o", out, *first)
    before = (out / "fer2013.csv").read_bytes()
    result = run(faces, "--to", "sad", "-o", out, *second)
    assert result.exit_code == 2
    assert "holds a run with another --soft-labels: name another --out" in result.stderr
    assert (out / "fer2013.csv").read_bytes() == before


def test_other_layouts_have_no_columns(run: Run, faces: Path, tmp_path: Path) -> None:
    result = run(faces, "--to", "happy", "-o", tmp_path / "out", "--soft-labels")
    assert result.exit_code == 2
    assert "--soft-labels are columns of a table: they need --layout fer-csv" in result.stderr


def test_fit_reads_the_table_as_faces_and_as_votes(run: Run, tmp_path: Path) -> None:
    data, out = pictures.write_csv(tmp_path / "faces.csv", 28), tmp_path / "out"
    run(data, "--to", "happy", "-o", out, *SOFT)
    splits = load(out)
    assert {usage: len(faces) for usage, faces in splits.items()} == {
        "Training": 21,
        "PublicTest": 7,
    }
    votes, lines = load_votes(out / "fer2013.csv"), table((out / "fer2013.csv").read_text())
    for faces in splits.values():
        labels = soft_labels(faces, votes, 1.0)
        columns = [[float(lines[int(row)][column]) for column in COLUMNS] for row in faces.rows]
        np.testing.assert_allclose(labels, columns, atol=1e-5)
