"""FER2013 is read alike from every form."""

import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate.errors import DataError
from cctranslate.fer2013 import usage_of_picture
from cctranslate.training.data.fer2013 import Splits, fingerprint, load, without_copies
from tests.files.test_compression import PACK
from tests.support import pictures


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
    return load(pictures.write_csv(tmp_path / "fer2013.csv"))


def test_csv_keeps_splits_labels_and_pixels(reference: Splits) -> None:
    assert {usage: len(faces) for usage, faces in reference.items()} == {
        "Training": 63,
        "PublicTest": 21,
    }
    test = reference["PublicTest"]
    assert test.rows[0] == 21
    np.testing.assert_array_equal(test.images[0], pictures.draw_face(0, 21))


FORMS = ["icml", "folder", "zip of folder", "zip of csv", "folder of csv", "tar.gz of csv"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_data(form: str, tmp_path: Path, reference: Splits) -> None:
    source = tmp_path / "made"
    if form == "icml":
        header = "emotion, Usage, pixels"
        source = pictures.write_csv(tmp_path / "icml_face_data.csv", header=header)
    elif form == "folder":
        pictures.write_folder(source)
    elif form == "zip of folder":
        source = zipped(pictures.write_folder(source), tmp_path / "archive.zip", "fer2013/")
    elif form == "zip of csv":
        source = zipped(tmp_path / "fer2013.csv", tmp_path / "archive.zip", "fer2013/")
    elif form == "tar.gz of csv":
        source = tmp_path / "fer2013.tar.gz"
        with tarfile.open(source, "w:gz") as archive:
            archive.add(tmp_path / "fer2013.csv", "fer2013/fer2013.csv")
    else:
        (source / "fer2013").mkdir(parents=True)
        (tmp_path / "fer2013.csv").rename(source / "fer2013" / "fer2013.csv")
    assert fingerprint(load(source)) == fingerprint(reference)


def test_a_test_row_in_a_train_folder_stays_a_test_row(tmp_path: Path) -> None:
    root = pictures.write_folder(tmp_path / "made")
    moved = next((root / "test" / "happy").glob("*.png"))
    moved.rename(root / "train" / "happy" / moved.name)
    splits = load(root)
    assert (len(splits["Training"]), len(splits["PublicTest"])) == (63, 21)


def test_copies_are_left_out(reference: Splits) -> None:
    train, test = reference["Training"], reference["PublicTest"]
    assert len(without_copies(test, train)) == len(test)
    assert len(without_copies(train.take(np.arange(10)), train)) == 0


@pytest.mark.parametrize("ends", ["\ufeff{}", "{}\r\n", "{}\n\n\n", "{}\n \n"])
def test_marks_line_ends_and_blank_lines_are_no_rows(
    ends: str, tmp_path: Path, reference: Splits
) -> None:
    path = tmp_path / "fer2013.csv"
    text = path.read_text().strip().replace("\n", "\r\n" if "\r" in ends else "\n")
    blank = text.replace("\n", "\n\n", 3)
    path.write_bytes(ends.format(blank).encode())
    read = load(path)
    assert fingerprint(read) == fingerprint(reference)
    np.testing.assert_array_equal(read["Training"].rows, reference["Training"].rows)


def test_names_in_any_case_and_what_file_managers_leave(tmp_path: Path, reference: Splits) -> None:
    root = pictures.write_folder(tmp_path / "made")
    for split in ("train", "test"):
        (root / split / "happy").rename(root / split / "Happiness")
        (root / split).rename(root / split.upper())
    for clutter in ("TRAIN/Happiness/.DS_Store", "TRAIN/Happiness/Thumbs.db"):
        (root / clutter).write_bytes(b"no picture")
    archive = tmp_path / "archive.zip"
    shutil.make_archive(str(archive.with_suffix("")), "zip", root)
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("__MACOSX/train/happy/._Training_00003.png", b"no picture")
    assert fingerprint(load(root)) == fingerprint(load(archive)) == fingerprint(reference)


def test_pictures_without_row_numbers_have_none_of_the_votes(tmp_path: Path) -> None:
    root = pictures.write_folder(tmp_path / "made")
    for count, file in enumerate(sorted(root.rglob("*.png"))):
        file.rename(file.with_name(f"im{count}.png"))
    splits = load(root)
    assert {usage: len(faces) for usage, faces in splits.items()} == {
        "Training": 63,
        "PublicTest": 21,
    }
    assert splits["Training"].rows.min() >= 1_000_000


def test_validation_folders_are_public_tests_and_test_beside_them_private(tmp_path: Path) -> None:
    root = pictures.write_folder(tmp_path / "made", 28)
    for count, file in enumerate(sorted(root.rglob("*.png"))):
        file.rename(file.with_name(f"{count}.png"))
    (root / "test").rename(root / "Validation")
    assert {usage: len(faces) for usage, faces in load(root).items()} == {
        "Training": 21,
        "PublicTest": 7,
    }
    shutil.copytree(root / "train", root / "test")
    assert {usage: len(faces) for usage, faces in load(root).items()} == {
        "Training": 21,
        "PublicTest": 7,
        "PrivateTest": 21,
    }


def test_names_hold_out_pictures_and_never_put_them_back(tmp_path: Path) -> None:
    """Users move pictures of `train` to folders for validation, with their names."""
    for name in ("train/Training_1", "train/PublicTest_2", "val/Training_3", "test/PublicTest_4"):
        folder, _, stem = name.partition("/")
        (tmp_path / folder / "happy").mkdir(parents=True, exist_ok=True)
        face = Image.fromarray(pictures.draw_face(3, 0))
        face.save(tmp_path / folder / "happy" / f"{stem}.png")
    found = {usage: set(faces.rows.tolist()) for usage, faces in load(tmp_path).items()}
    assert found == {"Training": {1}, "PublicTest": {2, 3, 4}}


PUBLIC, PRIVATE = "PublicTest", "PrivateTest"


@pytest.mark.parametrize(
    ("folders", "of_results", "of_faces"),
    [
        (("test",), (PRIVATE,), (PUBLIC,)),
        (("TESTING",), (PRIVATE,), (PUBLIC,)),
        (("privatetest",), (PRIVATE,), (PRIVATE,)),
        (("publictest", "Test"), (PUBLIC, PRIVATE), (PUBLIC, PRIVATE)),
        (("valid", "testing"), (PUBLIC, PRIVATE), (PUBLIC, PRIVATE)),
    ],
)
def test_folders_have_the_usages_of_results_unless_none_is_for_validation(
    folders: tuple[str, ...],
    of_results: tuple[str, ...],
    of_faces: tuple[str, ...],
    tmp_path: Path,
) -> None:
    for count, folder in enumerate(("train", *folders), 1):
        (tmp_path / "made" / folder / "happy").mkdir(parents=True)
        for number in range(count):
            face = Image.fromarray(pictures.draw_face(3, number))
            face.save(tmp_path / "made" / folder / "happy" / f"{number}.png")
    found = {usage: len(faces) for usage, faces in load(tmp_path / "made").items()}
    assert found == {usage: count for count, usage in enumerate(("Training", *of_faces), 1)}
    assert tuple(usage_of_picture(folder, "0.png") for folder in folders) == of_results


def test_folders_that_are_left_out_are_named(tmp_path: Path) -> None:
    root = pictures.write_folder(tmp_path / "made", 28)
    shutil.copytree(root / "train", root / "extra")
    for clutter in ("train/@eaDir/happy", "train/happy/$RECYCLE.BIN"):
        (root / clutter).mkdir(parents=True)
        (root / clutter / "thumbnail.png").write_bytes(b"no picture")
    lines: list[str] = []
    load(root, lines.append)
    assert len(lines) == 7
    assert lines[0].startswith(f"{root}: 3 pictures in extra/angry/ left out: faces are read from")


def test_a_zip_with_backslashes_is_read_as_one_with_slashes(tmp_path: Path) -> None:
    root = pictures.write_folder(tmp_path / "made", 28)
    with zipfile.ZipFile(tmp_path / "back.zip", "w") as archive:
        for file in root.rglob("*.png"):
            info = zipfile.ZipInfo()
            info.filename = str(file.relative_to(root)).replace("/", "\\")
            archive.writestr(info, file.read_bytes())
    assert fingerprint(load(tmp_path / "back.zip")) == fingerprint(load(root))


@pytest.mark.parametrize("kind", PACK)
def test_a_compressed_csv_is_read(tmp_path: Path, kind: str, reference: Splits) -> None:
    packed = PACK[kind]((tmp_path / "fer2013.csv").read_bytes())
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / f"fer2013.csv.{kind}"
    path.write_bytes(packed)
    assert fingerprint(load(path)) == fingerprint(load(tmp_path / "in")) == fingerprint(reference)
    path.write_bytes(packed[:-500])
    with pytest.raises(DataError, match="damaged"):
        load(path)


def test_a_csv_of_any_name_in_an_archive_is_read(tmp_path: Path, reference: Splits) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("about.csv", "a,b\n1,2\n")
        archive.write(tmp_path / "fer2013.csv", "faces.csv")
    assert fingerprint(load(tmp_path / "a.zip")) == fingerprint(reference)


def test_turned_pictures_are_turned_upright(tmp_path: Path) -> None:
    root = pictures.write_folder(tmp_path / "made", 28)
    expected = fingerprint(load(root))
    exif = Image.Exif()
    exif[0x0112] = 6
    for file in (root / "train").rglob("*.png"):
        with Image.open(file) as picture:
            picture.transpose(Image.Transpose.ROTATE_90).save(file, exif=exif)
    assert fingerprint(load(root)) == expected


def test_linked_folders_are_followed_as_batch_does(tmp_path: Path) -> None:
    root = pictures.write_folder(tmp_path / "made", 28)
    expected = fingerprint(load(root))
    (root / "train" / "happy").rename(tmp_path / "happy")
    (root / "train" / "happy").symlink_to(tmp_path / "happy", target_is_directory=True)
    (root / "train").rename(tmp_path / "elsewhere")
    (root / "train").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "happy" / "back").symlink_to(root, target_is_directory=True)
    assert fingerprint(load(root)) == expected


def test_a_link_to_nothing_among_the_faces_is_named(tmp_path: Path) -> None:
    root = pictures.write_folder(tmp_path / "made", 28)
    (root / "train" / "happy" / "gone.png").symlink_to(tmp_path / "nothing")
    with pytest.raises(DataError, match=r"train/happy/gone\.png: .*No such file.*: mend or remove"):
        load(root)
