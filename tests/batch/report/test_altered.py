"""Results that somebody altered or removed, of faces that have several."""

import os
from pathlib import Path

import pytest

from tests.batch.report.replacing import results
from tests.support.cli import Run
from tests.support.pictures import group
from tests.support.reports import rows, tree

EDITED = b"an edit of the user's"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture of two faces."""
    path = tmp_path / "photo.png"
    group().crop((0, 0, 1000, 700)).save(path)
    return path


def edit(path: Path) -> None:
    """Change a result as an editor does that keeps its metadata."""
    path.write_bytes(path.read_bytes() + EDITED)


@pytest.mark.parametrize("layout", ["imagefolder", "tree"])
def test_an_altered_sample_is_left_when_another_one_is_made_again(
    run: Run, faces: Path, tmp_path: Path, layout: str
) -> None:
    out = tmp_path / "out"
    words = (faces / "happy", "--to", "sad", "--samples", "3", "--layout", layout, "-o", out)
    assert run(*words).exit_code == 0
    edited, gone, _ = sorted((out / "sad").iterdir())
    edit(edited)
    gone.unlink()
    for _ in range(2):
        result = run(*words)
        assert result.exit_code == 0, result.output
        assert "1 result was altered since, and left" in result.stderr
        assert edited.read_bytes().endswith(EDITED)
        assert gone.exists()
    edited.unlink()
    assert "altered since" not in run(*words).stderr
    assert not edited.read_bytes().endswith(EDITED)


def test_an_altered_result_is_left_when_its_source_changes(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    out, source = tmp_path / "out", next((faces / "happy").iterdir())
    words = (source, "--to", "sad", "-o", out)
    run(*words)
    (result,) = (out / "sad").iterdir()
    edit(result)
    os.utime(source, ns=(5, 5))
    assert run(*words).exit_code == 0
    assert result.read_bytes().endswith(EDITED)
    assert "1 result was altered since, and left" in run(*words).stderr


def test_a_picture_of_two_faces_is_one_altered_result(
    run: Run, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = (photo, "--to", "happy", "-o", out)
    assert run(*words).exit_code == 0
    assert len(rows(out)) == 2
    edit(out / "happy" / "photo.png")
    assert "1 result was altered since" in run(*words).stderr


@pytest.mark.parametrize("layout", ["imagefolder", "webdataset"])
def test_faces_whose_source_fails_keep_as_many_results_each(
    run: Run, photo: Path, tmp_path: Path, layout: str
) -> None:
    out, whole = tmp_path / "out", photo.read_bytes()
    words = (photo, "--to", "happy,sad,fear", "--result", "face", "-o", out, "--layout", layout)
    assert run(*words).exit_code == 0
    if layout == "imagefolder":
        (out / "happy" / "photo.png").unlink()
    else:
        end = (out / "000000.tar").stat().st_size - 4096  # in the last result
        os.truncate(out / "000000.tar", end)
    photo.write_bytes(whole[:200])
    for _ in range(2):
        result = run(*words)
        assert result.exit_code == 1, result.output
        assert "0 done, 0 skipped, 1 failed" in result.stderr
        assert [row["status"] for row in rows(out)] == ["done"] * 4 + ["failed"]
        assert {row["results_per_face"] for row in rows(out)[:4]} == {"2"}
    if layout == "imagefolder":
        named = {row["output"] for row in rows(out)}
        assert {name for name in tree(out) if name.endswith(".png")} <= named
    photo.write_bytes(whole)
    assert run(*words, "--retry-failed").exit_code == 0
    assert [row["status"] for row in rows(out)] == ["done"] * 6
    anew = tmp_path / "anew"
    run(*words[:-3], anew, *words[-2:])
    assert results(out) == results(anew)
