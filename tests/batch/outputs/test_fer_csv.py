"""`--layout fer-csv`: results as a dataset in FER2013's own form."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate.batch.outputs import fer_csv
from cctranslate.emotions import EMOTIONS
from cctranslate.training.data.fer2013 import load
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows, timeless

LAYOUT = ("--layout", "fer-csv")


def lines(out: Path) -> list[bytes]:
    return (out / "fer2013.csv").read_bytes().splitlines(keepends=True)


def test_each_result_is_a_row_in_the_datasets_form(run: Run, faces: Path, tmp_path: Path) -> None:
    out, files = tmp_path / "out", tmp_path / "files"
    result = run(faces, "--to", "happy,sad", "-o", out, *LAYOUT)
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in out.iterdir()) == [
        "fer2013.csv",
        "report.csv",
        "report.html",
        "run.json",
    ]
    run(faces, "--to", "happy,sad", "-o", files, "--result", "face")
    header, *found = lines(out)
    assert header == b"emotion,pixels,Usage\n"
    assert len(found) == 14
    for row, other in zip(rows(out), rows(files), strict=True):
        table, _, number = row["output"].partition(":")
        label, pixels, usage = found[int(number)].decode().rstrip("\n").split(",")
        assert (table, EMOTIONS[int(label)], usage) == ("fer2013.csv", row["target"], "Training")
        with Image.open(files / other["output"]) as picture:
            assert [int(level) for level in pixels.split()] == list(picture.tobytes())


def test_fit_and_batch_read_it(run: Run, tmp_path: Path) -> None:
    table = pictures.write_csv(tmp_path / "faces.csv", 28)
    out = tmp_path / "out"
    run(table, "--to", "happy", "-o", out, *LAYOUT)
    for path in (out, out / "fer2013.csv"):
        splits = load(path)
        assert {usage: len(faces) for usage, faces in splits.items()} == {
            "Training": 21,
            "PublicTest": 7,
        }
        assert {int(label) for label in splits["Training"].labels} == {EMOTIONS.index("happy")}
    np.testing.assert_array_equal(load(out)["Training"].images[3][8:], pictures.draw_face(3, 3)[8:])
    again = run(out / "fer2013.csv", "--to", "sad", "-o", tmp_path / "again", *LAYOUT)
    assert again.exit_code == 0, again.output
    assert {row["source_label"] for row in rows(tmp_path / "again")} == {"happy"}


def test_every_face_of_a_photograph_is_a_row(run: Run, mouth_weights: Path, tmp_path: Path) -> None:
    pictures.group().save(tmp_path / "group.png")
    out = tmp_path / "out"
    run(tmp_path / "group.png", "--to", "sad,happy", "-o", out, *LAYOUT, "--weights", mouth_weights)
    outputs = [row["output"] for row in rows(out) if row["output"]]
    assert outputs == [f"fer2013.csv:{number}" for number in range(4)]
    assert len(lines(out)) == 5


def test_after_a_kill_at_any_moment_it_comes_out_the_same(
    run: Run, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill leaves a beginning of the report, and of the table what that names or more of it."""
    monkeypatch.setattr(fer_csv, "_PIECE", 9_000)
    (faces / "fear" / "broken.png").write_bytes(b"broken")
    whole, out = tmp_path / "whole", tmp_path / "out"
    words = (faces, "--to", "happy,sad", *LAYOUT, "--no-html")
    run(*words, "-o", whole)
    run(*words, "-o", out)
    table, report = lines(whole), (whole / "report.csv").read_bytes().splitlines(keepends=True)
    for inputs, reported, more in ((0, 0, b""), (0, 0, table[0]), (2, 4, b"6,1"), (3, 7, table[7])):
        (out / "report.csv").write_bytes(
            b"".join(report[: 1 + reported]) + report[1 + reported][:9]
        )
        kept = b"".join(table[: 1 + 2 * inputs]) if inputs else b""
        (out / "fer2013.csv").write_bytes(kept + more)
        assert run(*words, "-o", out).exit_code == 1
        assert lines(out) == table
        assert timeless(out) == timeless(whole)


def test_overwrite_leaves_no_table_without_results(run: Run, faces: Path, tmp_path: Path) -> None:
    out, broken = tmp_path / "out", tmp_path / "broken.png"
    broken.write_bytes(b"broken")
    run(faces, "--to", "happy", "-o", out, *LAYOUT)
    run(broken, "--to", "happy", "-o", out, *LAYOUT, "--overwrite")
    assert not (out / "fer2013.csv").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--result", "picture"), "needs --result face"),
        (("--format", "webp"), "leave out --format"),
    ],
)
def test_what_a_table_cannot_hold_is_refused(
    run: Run, faces: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    result = run(faces, "--to", "happy", "-o", tmp_path / "out", *LAYOUT, *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "out").exists()


def test_the_sheet_and_the_page_show_what_is_in_it(run: Run, faces: Path, tmp_path: Path) -> None:
    run(faces, "--to", "happy,sad", "-o", tmp_path / "out", *LAYOUT)
    run(faces, "--to", "happy,sad", "-o", tmp_path / "files", "--result", "face")
    assert (tmp_path / "out-sheet.png").read_bytes() == (tmp_path / "files-sheet.png").read_bytes()
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert page.count(':"/9j/') == 14, "a JPEG of each result; the sources are linked"


def test_results_that_are_not_written_take_no_line_of_the_table(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    Image.fromarray(np.full((48, 48), 255, np.uint8)).save(faces / "angry" / "0.png")
    run(faces, "--to", "happy,sad", "-o", out, *LAYOUT, "--confirmed-only", "--per-class", "2")
    outputs = [row["output"] for row in rows(out)]
    assert outputs == ["", "", *(f"fer2013.csv:{number}" for number in range(4))]
    assert len(lines(out)) == 5


@pytest.mark.parametrize(
    ("folder", "word"),
    [
        (".", "test"),
        ("test", "."),
        ("test", "happy"),
        ("test/happy", "0.png"),
        ("train", "../test"),
    ],
)
def test_class_and_split_do_not_depend_on_the_working_directory(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, word: str
) -> None:
    for split in ("test", "train"):
        (tmp_path / split / "happy").mkdir(parents=True)
    Image.fromarray(pictures.draw_face(3, 0)).save(tmp_path / "test" / "happy" / "0.png")
    monkeypatch.chdir(tmp_path / folder)
    out = tmp_path / "out"
    assert run(word, "--to", "sad", "-o", out, *LAYOUT).exit_code == 0
    assert [row["source_label"] for row in rows(out)] == ["happy"]
    assert lines(out)[1].endswith(b",PrivateTest\n")
    refused = run(word, "--to", "sad", "-o", tmp_path / "more", "--balance")
    assert "left out, for validation or tests: 1" in refused.output, refused.output
