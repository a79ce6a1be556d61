"""One reader of FER2013's form for both halves: rows, usages and labels."""

import io
from pathlib import Path

import numpy as np
import pytest

from cctranslate.batch.inputs.archives import from_tar_or_csv
from cctranslate.batch.items import DatasetRow
from cctranslate.fer2013 import (
    CsvFault,
    CsvRow,
    has_pixels,
    parse_label,
    parse_pixels,
    parse_usage,
    read_csv,
)
from cctranslate.training.data.fer2013 import load
from tests.support import pictures

FACE = pictures.draw_face(3, 0)
FLAT = " ".join(map(str, FACE.ravel()))
LINES = "\n".join(" ".join(map(str, row)) for row in FACE)
HEAD = "emotion,pixels,Usage\n"
FORMS = {
    "plain": f"{HEAD}3,{FLAT},Training\n",
    "no end": f"{HEAD}3,{FLAT},Training",
    "lines": f'{HEAD}3,"{LINES}",Training\n',
    "windows": f"{HEAD}3,{FLAT},Training\n".replace("\n", "\r\n"),
    "old mac": f"{HEAD}3,{FLAT},Training\n".replace("\n", "\r"),
    "tabs": f"{HEAD}3,{FLAT},Training\n".replace(" ", "\t"),
    "float": f"{HEAD}3.0,{FLAT},Training\n",
    "mark": f"\ufeff{HEAD}3,{FLAT},Training\n",
    "icml": f"emotion, Usage, pixels\n3,Training, {FLAT}\n",
    "quoted": f'"emotion"," pixels","Usage"\n"3","{FLAT}","Training"\n',
    "blank": f"{HEAD}\n  \n3,{FLAT},Training\n\n",
    "spaces": f"{HEAD}3 , {FLAT} , training \n",
}


@pytest.mark.parametrize("form", FORMS)
def test_fit_and_batch_read_the_same_row(tmp_path: Path, form: str) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_bytes(FORMS[form].encode())
    (item,) = from_tar_or_csv(path)
    assert isinstance(item, DatasetRow), item
    assert (item.label, item.usage, item.inner) == ("happy", "Training", "0")
    np.testing.assert_array_equal(parse_pixels(item.pixels), FACE)
    faces = load(path)["Training"]
    assert (faces.labels.tolist(), faces.rows.tolist()) == ([3], [0])
    np.testing.assert_array_equal(faces.images[0], FACE)


def test_a_quote_that_is_never_closed_spoils_its_row_alone() -> None:
    text = f'{HEAD}3,"1 2\n4 5\n\n4,{FLAT},Training\n'
    _, rows = read_csv(io.BytesIO(text.encode()))
    fault, good = rows
    assert isinstance(fault, CsvFault)
    assert (fault.number, fault.line, fault.reason) == (0, 2, "unexpected end of data")
    assert isinstance(good, CsvRow)
    assert (good.number, good.line, good.emotion) == (1, 5, "4")


@pytest.mark.parametrize(
    ("word", "usage"),
    [
        ("Training", "Training"),
        (" training", "Training"),
        ("publictest", "PublicTest"),
        ("Public Test", "PublicTest"),
        ("PRIVATE_TEST", "PrivateTest"),
    ],
)
def test_usages_in_any_case_and_spacing(word: str, usage: str) -> None:
    assert parse_usage(word) == usage


@pytest.mark.parametrize("word", ["", "test", "validation", "train", "0"])
def test_another_usage_is_never_training(word: str) -> None:
    with pytest.raises(ValueError, match=f"Usage is '{word}', expected one of Training"):
        parse_usage(word)


@pytest.mark.parametrize("text", ["7", "-1", "3.5", "", "²", "3\n4", "happy", "1e0"])
def test_a_cell_that_is_no_label_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected 0 to 6"):
        parse_label(text)


@pytest.mark.parametrize("text", ["", " ", "1 2", "x", "256 " * 2304, "-1 " * 2304, "9" * 30])
def test_a_cell_that_is_no_face_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="pixel"):
        parse_pixels(text)


def test_a_dataset_is_recognized_by_its_header() -> None:
    assert has_pixels(b'\xef\xbb\xbf"emotion"," pixels"\r3,1 2')
    assert not has_pixels(b"source,face,width\n1,pixels,3\n")
