"""`-o -` and `-`: pictures through pipes."""

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from cctranslate.cli import cli
from tests.support import pictures
from tests.support.cli import Run, child, command
from tests.support.reports import rows, tree


def piped(weights: Path, picture: bytes, *words: str | Path) -> Result:
    fixed = ["batch", "--weights", weights, "--device", "cpu", "--to", "happy", *words]
    return CliRunner().invoke(cli, [os.fspath(word) for word in fixed], input=picture)


def members(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        found = {info.name: archive.extractfile(info) for info in archive}
        return {name: file.read() for name, file in found.items() if file}


def test_one_picture_through_a_pipe(weights: Path, run: Run, faces: Path, tmp_path: Path) -> None:
    place = faces / "sad" / "4.png"
    run(place, "--to", "happy", "-o", tmp_path / "out")
    wanted = tree(tmp_path / "out")["happy/4.png"]
    assert run(place, "--to", "happy", "-o", "-").stdout_bytes == wanted
    done = subprocess.run(
        [*command("batch", "-", "--to", "happy", "-o", "-", "--weights", weights)],
        input=place.read_bytes(),
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == wanted
    assert b"1 input: 1 done" in done.stderr
    assert b"report" not in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["faces", "out", "out-sheet.png"]


def test_several_results_are_a_tar_as_they_would_lie_in_out(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    for words in ((), ("--layout", "tree")):
        out = tmp_path / f"out{len(words)}"
        run(faces, "--to", "happy,sad", "-o", out, *words)
        result = run(faces, "--to", "happy,sad", "-o", "-", *words)
        assert result.exit_code == 0, result.output
        assert members(result.stdout_bytes) == tree(out)
    one = run(faces / "sad" / "4.png", "--to", "happy,sad", "-o", "-")
    assert list(members(one.stdout_bytes)) == ["happy/4.png", "sad/4.png"]
    # A folder is one for what it may hold, not for what it does.
    folder = run(faces / "sad", "--to", "happy", "-o", "-")
    assert list(members(folder.stdout_bytes)) == ["happy/4.png"]


def test_webdataset_is_one_tar_of_samples(run: Run, faces: Path, tmp_path: Path) -> None:
    words = (faces, "--to", "happy", "--layout", "webdataset")
    run(*words, "-o", tmp_path / "out")
    report = tmp_path / "report.csv"
    result = run(*words, "-o", "-", "--report", report)
    assert result.stdout_bytes == (tmp_path / "out" / "000000.tar").read_bytes()
    assert "happy/sad__4.png" in report.read_text()


def test_a_photographs_faces_are_a_tar_if_they_are_several(
    run: Run, mouth_weights: Path, tmp_path: Path
) -> None:
    pictures.group().save(tmp_path / "group.png")
    pictures.portrait(pictures.COLLINS).save(tmp_path / "one.png")
    fixed = ("--to", "sad", "--weights", mouth_weights, "-o", "-", "--result", "face")
    group = run(tmp_path / "group.png", *fixed)
    assert list(members(group.stdout_bytes)) == ["sad/group.png", "sad/group.f2.png"]
    one = run(tmp_path / "one.png", *fixed)
    with Image.open(io.BytesIO(one.stdout_bytes)) as picture:
        assert picture.size == (48, 48)


def test_what_failed_is_said_for_there_is_no_report(weights: Path, run: Run, faces: Path) -> None:
    result = piped(weights, b"", "-", "-o", "-")
    assert result.exit_code == 1
    assert result.stdout_bytes == b""
    assert "empty file" in result.stderr
    (faces / "broken.png").write_bytes(b"broken")
    result = run(faces, "--to", "happy", "-o", "-")
    assert result.exit_code == 1
    assert len(members(result.stdout_bytes)) == 7
    assert f"{faces / 'broken.png'}: decode: not a picture" in result.stderr


def test_pictures_from_stdin_into_a_folder(weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    contents = []
    for number in (1, 2):
        file = io.BytesIO()
        Image.fromarray(pictures.draw_face(3, number)).save(file, "png")
        contents.append(file.getvalue())
    for content in (contents[0], contents[1], contents[0]):
        result = piped(weights, content, "-", "-o", out)
        assert result.exit_code == 0, result.output
    assert sorted(tree(out)) == ["happy/stdin.png", "happy/stdin~2.png"]
    assert [row["source"].partition(":")[0] for row in rows(out)] == ["-", "-"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--layout", "fer-csv"), "name a folder for --layout fer-csv"),
        (("--report", "-"), "only one of them"),
        (("--sheet", "s.png"), "--sheet needs a folder"),
        (("--overwrite",), "--overwrite needs a folder"),
        (("--retry-failed",), "--retry-failed needs a folder"),
    ],
)
def test_what_needs_a_folder_is_refused(
    run: Run, faces: Path, words: tuple[str, ...], message: str
) -> None:
    result = run(faces, "--to", "happy", "-o", "-", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout_bytes == b""


def test_stdin_is_named_once(weights: Path, tmp_path: Path) -> None:
    result = piped(weights, b"", "-", "-", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "name it once" in result.stderr


def test_a_dry_run_needs_no_pipe(run: Run, faces: Path) -> None:
    result = run(faces, "--to", "happy", "-o", "-", "--dry-run")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 7


@pytest.mark.skipif(sys.platform == "win32", reason="no terminals of its own")
def test_a_terminal_is_refused(weights: Path, faces: Path) -> None:
    ours, theirs = os.openpty()
    try:
        for words, message in (
            ((faces, "-o", "-"), b"send stdout to a file or a pipe"),
            (("-", "-o", "-"), b"send stdout to a file or a pipe"),
            (("-", "-o", "out"), b"is a picture from stdin: send it one"),
        ):
            fixed = ("batch", *words, "--to", "happy", "--weights", weights)
            process = child(*fixed, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE)
            _, messages = process.communicate()
            assert process.returncode == 2
            assert message in messages
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_reader_that_goes_away_ends_it_quietly(weights: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(400):
        Image.fromarray(pictures.draw_face(number % 7, number)).save(folder / f"{number:03}.png")
    process = child(
        *("batch", folder, "--to", "all", "--weights", weights, "-o", "-", "-q"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(100)
    process.stdout.close()
    messages = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 141
    assert messages == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(weights: Path, faces: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        process = child(
            *("batch", faces, "--to", "all", "--weights", weights, "-o", "-", "-q"),
            stdout=full,
            stderr=subprocess.PIPE,
        )
        _, messages = process.communicate()
    assert process.returncode == 1
    assert messages == b"Error: -o -: cannot be written: No space left on device\n"
