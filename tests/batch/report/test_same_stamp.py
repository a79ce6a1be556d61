"""A source that changed although its size and its time are the same is made again."""

import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.support.cli import Run
from tests.support.pictures import draw_face, write_csv
from tests.support.reports import rows, timeless, tree

START = 1_700_000_000_000_000_000


def age(out: Path, looked: int = START) -> None:
    """Let the run in OUT have looked at its inputs at another time, long ago if none is given."""
    path = out / "run.json"
    content = json.loads(path.read_text()) | {"inputs_checked_ns": looked}
    path.write_text(json.dumps(content))


def checked(out: Path) -> int:
    return int(json.loads((out / "run.json").read_text())["inputs_checked_ns"])


def replace_in_place(path: Path, content: bytes) -> None:
    """Write other content of the same size, and set the time back."""
    before = path.stat()
    assert len(content) == before.st_size
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def bmp(path: Path, label: int) -> bytes:
    """Write a face as a BMP, all of which have one size; return the content."""
    Image.fromarray(draw_face(label, 0)).save(path, "bmp")
    return path.read_bytes()


def as_file(folder: Path, label: int) -> Path:
    bmp(folder / "a.bmp", label)
    return folder / "a.bmp"


def as_zip(folder: Path, label: int) -> Path:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.bmp"), bmp(folder / "member", label))
        archive.writestr(zipfile.ZipInfo("b.bmp"), bmp(folder / "member", 4))
    return folder / "a.zip"


def as_tar(folder: Path, label: int) -> Path:
    with tarfile.open(folder / "a.tar", "w") as archive:
        for name, seen in (("a.bmp", label), ("b.bmp", 4)):
            bmp(folder / name, seen)
            os.utime(folder / name, ns=(START, START))
            archive.add(folder / name, name)
    return folder / "a.tar"


def as_table(folder: Path, label: int) -> Path:
    table = write_csv(folder / "a.csv", 2)
    lines = table.read_text().splitlines()
    if label:  # the last pixel is another one, with as many digits
        head, _, usage = lines[1].rpartition(",")
        lines[1] = f"{head[:-1]}{(int(head[-1]) + 1) % 10},{usage}"
    table.write_text("\n".join(lines))
    return table


@pytest.mark.parametrize("make", [as_file, as_zip, as_tar, as_table])
def test_other_content_of_the_same_size_and_time_is_made_again(
    run: Run, tmp_path: Path, make: Callable[[Path, int], Path]
) -> None:
    (tmp_path / "other").mkdir()
    source, other = make(tmp_path, 0), make(tmp_path / "other", 2)
    words = (source, "--to", "sad", "-o", tmp_path / "out")
    assert run(*words).exit_code == 0
    before = rows(tmp_path / "out")
    replace_in_place(source, other.read_bytes())
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert "(1 in this call" in result.stderr
    after = rows(tmp_path / "out")
    same = [a["source_sha256"] == b["source_sha256"] for a, b in zip(before, after, strict=True)]
    assert same == [False, *([True] * (len(same) - 1))]
    fresh = tmp_path / "fresh"
    run(source, "--to", "sad", "-o", fresh)
    assert tree(tmp_path / "out") == tree(fresh)
    assert timeless(tmp_path / "out") == timeless(fresh)


def test_a_clock_that_was_set_back_hides_no_change(run: Run, tmp_path: Path) -> None:
    source, out = as_file(tmp_path, 0), tmp_path / "out"
    assert run(source, "--to", "sad", "-o", out).exit_code == 0
    age(out, checked(out) + 3600 * 10**9)  # the clock was an hour ahead
    replace_in_place(source, bmp(tmp_path / "other", 2))
    assert "(1 in this call" in run(source, "--to", "sad", "-o", out).stderr


def test_no_expression_of_the_face_before_stays(run: Run, tmp_path: Path) -> None:
    source, out = as_file(tmp_path, 0), tmp_path / "out"
    assert run(source, "--to", "sad", "-o", out).exit_code == 0
    replace_in_place(source, bmp(tmp_path / "other", 2))
    assert run(source, "--to", "happy", "-o", out).exit_code == 0
    assert [row["target"] for row in rows(out)] == ["happy"], "a stale result is none of this face"
    assert run(source, "--to", "sad", "-o", out).exit_code == 0
    assert [row["target"] for row in rows(out)] == ["happy", "sad"]


def test_a_file_whose_content_is_the_same_is_done(run: Run, faces: Path, tmp_path: Path) -> None:
    """A copy, or another mode, changes the ctime alone."""
    out = tmp_path / "out"
    assert run(faces, "--to", "sad", "-o", out).exit_code == 0
    age(out)
    before = timeless(out)
    copied = shutil.copytree(faces, tmp_path / "copy")
    shutil.rmtree(faces)
    copied.rename(faces)
    result = run(faces, "--to", "sad", "-o", out)
    assert "(0 in this call, 7 from before; 0 new results)" in result.stderr
    assert timeless(out) == before


def test_files_are_read_again_once(
    run: Run, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, words = tmp_path / "out", (faces, "--to", "sad", "-o", tmp_path / "out")
    for path in faces.rglob("*.png"):
        os.utime(path, ns=(START, START))
    assert run(*words).exit_code == 0
    age(out)
    assert run(*words).exit_code == 0
    assert checked(out) > START + 10**9
    # As if the last call had been a while ago.
    monkeypatch.setattr("cctranslate.batch.report.changes._COARSE_NS", 0)
    read: list[object] = []
    monkeypatch.setattr("cctranslate.batch.report.resume.content_digest", read.append)
    assert "(0 in this call" in run(*words).stderr
    assert read == []


def test_a_call_that_names_fewer_inputs_vouches_for_none(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run(faces, "--to", "sad", "-o", out).exit_code == 0
    age(out)
    assert run(faces / "happy", "--to", "sad", "-o", out).exit_code == 0
    assert checked(out) == START
    assert run(faces, "--to", "sad", "-o", out, "--limit", "3").exit_code == 0
    assert checked(out) == START
    assert run(faces, "--to", "sad", "-o", out).exit_code == 0
    assert checked(out) > START


def test_a_failure_is_not_tried_again_by_itself(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"\x89PNG\r\n")
    words = (tmp_path / "in", "--to", "sad", "-o", tmp_path / "out")
    assert run(*words).exit_code == 1
    assert "(0 in this call" in run(*words).stderr


@pytest.mark.parametrize("value", ["soon", [1], {}])
def test_a_damaged_time_is_refused(run: Run, faces: Path, tmp_path: Path, value: object) -> None:
    out = tmp_path / "out"
    assert run(faces, "--to", "sad", "-o", out).exit_code == 0
    content = json.loads((out / "run.json").read_text()) | {"inputs_checked_ns": value}
    (out / "run.json").write_text(json.dumps(content))
    result = run(faces, "--to", "sad", "-o", out)
    assert result.exit_code == 2
    assert "run.json: not what a run left" in result.stderr
