"""Faults of FER2013's files are named, with the line or the picture."""

import tarfile
from pathlib import Path

import pytest

from cctranslate.errors import DataError
from cctranslate.training.data.fer2013 import fingerprint, load
from tests.support import pictures
from tests.training.data.test_fer2013 import zipped


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("7," + " ".join(["1"] * 2304) + ",Training", "emotion is '7'"),
        ("1,1 2 3,Training", "3 pixels, expected 2304"),
        ("1," + " ".join(["256"] * 2304) + ",Training", "outside 0 to 255"),
        ("1," + " ".join(["x"] * 2304) + ",Training", "no number"),
        ("1," + " ".join(["1"] * 2304) + ",Validation", "Usage is 'Validation'"),
        ("1", "too few columns"),
    ],
)
def test_a_bad_row_is_named_by_its_line(row: str, reason: str, tmp_path: Path) -> None:
    path = pictures.write_csv(tmp_path / "fer2013.csv", count=3)
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
    root = pictures.write_folder(tmp_path / "made")
    (root / "train" / "happy" / "Training_00003.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"train/happy/Training_00003\.png: not a picture"):
        load(root)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"emotion,pixels\n\xff\xfe", "line 2: not UTF-8 text"),
        (b"PK\x03\x04\xff half a zip", "line 1: not UTF-8 text: expected a CSV, or a whole zip"),
        (b"", "line 1: expected columns"),
        (b'emotion,pixels\n1,"' + b"1 1\n" * 100_000, "line 2: unexpected end of data"),
        (b"emotion,pixels\n1," + b"1 " * 1_000_000, "line 2: .* pixels, expected 2304"),
        (b"emotion,pixels\nhappy,1", "line 2: emotion is 'happy', expected 0 to 6"),
    ],
)
def test_what_is_no_fer2013_is_one_line(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"fer2013\.csv: {reason}") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    source = zipped(pictures.write_csv(tmp_path / "fer2013.csv"), tmp_path / "archive.zip")
    whole = source.read_bytes()
    place = whole.index(b"1 ", 5_000)
    source.write_bytes(whole[:place] + b"2" + whole[place + 1 :])
    with pytest.raises(DataError, match=r"archive\.zip: damaged or encrypted: .*: download"):
        load(source)
    source.write_bytes(whole[:-100])
    with pytest.raises(DataError, match=r"archive\.zip: line 1"):
        load(source)
    with tarfile.open(tmp_path / "fer2013.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "fer2013.csv", "fer2013.csv")
    cut = tmp_path / "fer2013.tar.gz"
    cut.write_bytes(cut.read_bytes()[:-5_000])
    with pytest.raises(DataError, match=r"fer2013\.tar\.gz: damaged"):
        load(cut)


def test_a_tar_is_read_to_its_end_or_named(tmp_path: Path) -> None:
    root = pictures.write_folder(tmp_path / "made")
    parts = []
    for usage in ("train", "test"):
        parts.append(tmp_path / f"{usage}.tar")
        with tarfile.open(parts[-1], "w") as archive:
            archive.add(root / usage, usage)
    joined = tmp_path / "joined.tar"  # as by `cat train.tar test.tar`
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert fingerprint(load(joined)) == fingerprint(load(root))
    with tarfile.open(parts[0]) as archive:
        header = archive.getmembers()[20].offset
    content = bytearray(joined.read_bytes())
    content[header + 150] ^= 1
    joined.write_bytes(content)
    with pytest.raises(DataError, match=r"joined\.tar: damaged"):
        load(joined)
