"""A dataset's CSV as an input, alone or in an archive: each row a face, each fault a row."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate.batch.gallery.rereading import reread_items
from cctranslate.emotions import EMOTIONS
from tests.support import pictures
from tests.support.archives import table, tarred, zipped
from tests.support.cli import Run
from tests.support.pictures import png
from tests.support.reports import rows


def test_a_dataset_is_read_row_by_row(run: Run, tmp_path: Path) -> None:
    path = pictures.write_csv(tmp_path / "icml.csv", 14, "emotion, Usage, pixels")
    result = run(path, "--to", "happy", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    found = rows(tmp_path / "out")
    assert found[3]["source"] == f"{path}:3"
    assert found[3]["output"] == "happy/icml__0000003.png"
    assert [row["source_label"] for row in found] == list(EMOTIONS) * 2
    assert (found[0]["width"], found[0]["mode"], len(found[0]["source_sha256"])) == ("48", "L", 64)
    with Image.open(tmp_path / "out" / found[4]["output"]) as picture:
        np.testing.assert_array_equal(np.asarray(picture)[8:], pictures.draw_face(4, 4)[8:])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("3", "too few columns"),
        ("9," + "1 " * 2304, "emotion is '9', expected 0 to 6"),
        ("²," + "1 " * 2304, "emotion is '²'"),
        ("3,1 2 3", "3 pixels, expected 2304"),
        ("3,", "pixels hold something that is no number"),
        ("3,1 x", "pixels hold something that is no number"),
        ("3," + "256 " * 2304, "outside 0 to 255"),
        ("3," + "1 " * 200_000, "pixels, expected 2304"),
        ('3,"1 2', "unexpected end of data"),
    ],
)
def test_a_bad_row_fails_alone(run: Run, tmp_path: Path, line: str, reason: str) -> None:
    pixels = " ".join(map(str, pictures.draw_face(3, 0).ravel()))
    text = f"emotion,pixels\n3,{pixels}\n{line}\n\n4,{pixels}\n"
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    result = run(tmp_path / "a.csv", "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    found = rows(tmp_path / "out")
    assert [row["status"] for row in found] == ["done", "failed", "done"]
    assert reason in found[1]["reason"]
    assert found[2]["source"].endswith("a.csv:2")


def test_bytes_that_are_no_text_fail_alone_and_a_test_set_has_no_labels(
    run: Run, tmp_path: Path
) -> None:
    pixels = " ".join(map(str, pictures.draw_face(3, 0).ravel())).encode()
    (tmp_path / "test.csv").write_bytes(b"pixels\n" + pixels + b"\n\xff\xfe\n")
    result = run(tmp_path / "test.csv", "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    good, bad = rows(tmp_path / "out")
    assert (good["status"], good["source_label"]) == ("done", "")
    assert bad["reason"] == "decode: not UTF-8 text"


def test_a_row_of_an_unknown_usage_fails_alone(run: Run, tmp_path: Path) -> None:
    words = ("Training", "test", "publictest", "Private Test")
    (tmp_path / "a.csv").write_bytes(table(words))
    out = tmp_path / "out"
    result = run(tmp_path / "a.csv", "--to", "sad", "-o", out, "--layout", "fer-csv")
    assert result.exit_code == 1, result.output
    found = [(row["status"], row["reason"][:23]) for row in rows(out)]
    assert found == [
        ("done", ""),
        ("failed", "decode: Usage is 'test'"),
        ("done", ""),
        ("done", ""),
    ]
    lines = (out / "fer2013.csv").read_text().splitlines()[1:]
    assert [line.rpartition(",")[2] for line in lines] == ["Training", "PublicTest", "PrivateTest"]


@pytest.mark.parametrize("form", ["zip", "tar.gz", "csv.gz"])
def test_a_datasets_csv_in_an_archive_is_read_row_by_row(
    run: Run, tmp_path: Path, form: str
) -> None:
    content, path = table(("Training", "PublicTest")), tmp_path / f"fer2013.{form}"
    members = {"d/fer2013.csv": content, "d/about.csv": b"a,b\n1,2\n", "d/x.png": png(3)}
    if form == "csv.gz":
        path.write_bytes(gzip.compress(content))
    else:
        (zipped if form == "zip" else tarred)(path, members)
    out = tmp_path / "out"
    result = run(path, "--to", "sad", "-o", out)
    assert result.exit_code == 0, result.output
    stem, inner = ("fer2013", "") if form == "csv.gz" else ("d__fer2013", "d/fer2013.csv:")
    found = [(row["source"], row["output"], row["source_label"]) for row in rows(out)]
    assert found[0] == (f"{path}:{inner}0", f"sad/{stem}__0000000.png", "happy")
    assert found[1] == (f"{path}:{inner}1", f"sad/{stem}__0000001.png", "happy")
    expected = ["done"] * 2 + (["skipped", "done"] if inner else [])
    assert [row["status"] for row in rows(out)] == expected
    sources = [row["source"] for row in rows(out)]
    assert sorted(item.source for item in reread_items(sources)) == sorted(sources)


def test_results_of_pictures_for_tests_stay_rows_for_tests(run: Run, tmp_path: Path) -> None:
    usages = {
        "train/sad/a.png": "Training",
        "Validation/sad/b.png": "PublicTest",
        "test/sad/c.png": "PrivateTest",
        "test/sad/PublicTest_0000007.png": "PublicTest",
        "val/sad/Training_0000008.png": "PublicTest",
        "test/d.png": "PrivateTest",
        "test/other/e.png": "Training",
    }
    for name in usages:
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(png(4, 0))
    out = tmp_path / "out"
    result = run(tmp_path / "data", "--to", "happy", "--layout", "fer-csv", "-o", out)
    assert result.exit_code == 0, result.output
    table_rows = (out / "fer2013.csv").read_text().splitlines()[1:]
    found = {
        Path(row["source"]).relative_to(tmp_path / "data").as_posix(): line.rpartition(",")[2]
        for row, line in zip(rows(out), table_rows, strict=True)
    }
    assert found == usages


@pytest.mark.parametrize(
    ("archive", "member", "usage"),
    [
        ("test.zip", "happy/a.png", "PrivateTest"),
        ("val.tar.gz", "happy/a.png", "PublicTest"),
        ("happy.zip", "a.png", "Training"),
        ("test.zip", "train/happy/a.png", "Training"),
    ],
)
def test_the_name_of_an_archive_tells_what_that_of_a_folder_would(
    run: Run, tmp_path: Path, archive: str, member: str, usage: str
) -> None:
    path, out = tmp_path / archive, tmp_path / "out"
    pack = zipped if path.suffix == ".zip" else tarred
    pack(path, {member: png(3, 0)})
    assert run(path, "--to", "sad", "--layout", "fer-csv", "-o", out).exit_code == 0
    assert [row["source_label"] for row in rows(out)] == ["happy"]
    assert (out / "fer2013.csv").read_text().splitlines()[1].endswith(f",{usage}")
