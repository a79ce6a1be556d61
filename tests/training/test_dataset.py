"""FER2013 is read alike from every form, and its faults are named."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from cctranslate.training.dataset import DataError, Splits, fingerprint, load, without_copies
from tests import drawn


def zipped(source: Path, out: Path, under: str = "") -> Path:
    with zipfile.ZipFile(out, "w") as archive:
        files = [source] if source.is_file() else sorted(source.rglob("*.png"))
        for file in files:
            archive.write(
                file, under + (file.name if source.is_file() else str(file.relative_to(source)))
            )
    return out


@pytest.fixture
def reference(tmp_path: Path) -> Splits:
    return load(drawn.write_csv(tmp_path / "fer2013.csv"))


def test_csv_keeps_splits_labels_and_pixels(reference: Splits) -> None:
    assert {usage: len(faces) for usage, faces in reference.items()} == {
        "Training": 63,
        "PublicTest": 21,
    }
    test = reference["PublicTest"]
    assert test.rows[0] == 21
    np.testing.assert_array_equal(test.images[0], drawn.face(0, 21))


@pytest.mark.parametrize("form", ["icml", "folder", "zip of folder", "zip of csv", "folder of csv"])
def test_every_form_gives_the_same_data(form: str, tmp_path: Path, reference: Splits) -> None:
    source = tmp_path / "made"
    if form == "icml":
        header = "emotion, Usage, pixels"
        source = drawn.write_csv(tmp_path / "icml_face_data.csv", header=header)
    elif form == "folder":
        drawn.write_folder(source)
    elif form == "zip of folder":
        source = zipped(drawn.write_folder(source), tmp_path / "archive.zip", "fer2013/")
    elif form == "zip of csv":
        source = zipped(tmp_path / "fer2013.csv", tmp_path / "archive.zip", "fer2013/")
    else:
        source = tmp_path
    assert fingerprint(load(source)) == fingerprint(reference)


def test_a_test_row_in_a_train_folder_stays_a_test_row(tmp_path: Path) -> None:
    root = drawn.write_folder(tmp_path / "made")
    moved = next((root / "test" / "happy").glob("*.png"))
    moved.rename(root / "train" / "happy" / moved.name)
    splits = load(root)
    assert (len(splits["Training"]), len(splits["PublicTest"])) == (63, 21)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("7," + " ".join(["1"] * 2304) + ",Training", "emotion is 7"),
        ("1,1 2 3,Training", "3 pixels, expected 2304"),
        ("1," + " ".join(["256"] * 2304) + ",Training", "outside 0 to 255"),
        ("1," + " ".join(["x"] * 2304) + ",Training", "no number"),
        ("1," + " ".join(["1"] * 2304) + ",Validation", "Usage is 'Validation'"),
        ("1", "too few columns"),
    ],
)
def test_a_bad_row_is_named_by_its_line(row: str, reason: str, tmp_path: Path) -> None:
    path = drawn.write_csv(tmp_path / "fer2013.csv", count=3)
    path.write_text(path.read_text() + row + "\n")
    with pytest.raises(DataError, match=rf"fer2013\.csv: line 5: .*{reason}"):
        load(path)


def test_a_missing_file_says_where_the_data_is_to_be_had(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.csv: not found\. FER2013 is on Kaggle"):
        load(tmp_path / "nothing.csv")


def test_a_csv_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="line 1: expected columns"):
        load(path)


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    root = drawn.write_folder(tmp_path / "made")
    (root / "train" / "happy" / "Training_00003.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"train/happy/Training_00003\.png: not a picture"):
        load(root)


def test_copies_are_left_out(reference: Splits) -> None:
    train, test = reference["Training"], reference["PublicTest"]
    assert len(without_copies(test, train)) == len(test)
    assert len(without_copies(train.take(np.arange(10)), train)) == 0
