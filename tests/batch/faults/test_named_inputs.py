"""Named inputs that cannot be read: links to themselves, and unknown names."""

import os
import sys
import threading
from pathlib import Path

import pytest

from tests.support.cli import Run


@pytest.mark.skipif(os.name == "nt", reason="needs links")
@pytest.mark.parametrize("out", ["out", "out.png", "itself.png"])
def test_a_link_to_itself_is_no_traceback(run: Run, tmp_path: Path, out: str) -> None:
    for name in ("a.png", "itself.png"):
        (tmp_path / name).symlink_to(name)
    result = run(tmp_path / "a.png", "--to", "sad", "-o", tmp_path / out)
    assert result.exit_code in (1, 2), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert (tmp_path / "itself.png").is_symlink()


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("", "'': not found: name a picture, a folder or a pattern"),
        pytest.param(
            "x" * 300,
            f"{'x' * 300}: cannot be read: File name too long",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="words of another system"),
        ),
        ("nothing.png", "nothing.png: not found: name a picture, a folder or a pattern"),
    ],
)
@pytest.mark.parametrize("out", ["out", "out.png", "-"])
def test_an_input_that_is_not_there_is_told(
    run: Run, tmp_path: Path, word: str, message: str, out: str
) -> None:
    result = run(word, "--to", "sad", "-o", out if out == "-" else tmp_path / out)
    assert result.exit_code == 2
    assert result.output.strip() == f"Error: {message}"
    assert not (tmp_path / "out").exists()


def test_an_empty_picture_is_named_for_what_it_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    result = run(tmp_path / "a.png", "--to", "sad", "-o", tmp_path / "out.png")
    assert result.exit_code == 1
    assert "1 x decode: empty file" in result.output


@pytest.mark.skipif(os.name == "nt", reason="no named pipes there")
@pytest.mark.parametrize("out", ["out.png", "-"])
def test_a_pipe_gives_one_picture(
    run: Run, faces: Path, weights: Path, tmp_path: Path, out: str
) -> None:
    picture = (faces / "sad" / "4.png").read_bytes()
    run(faces / "sad" / "4.png", "--to", "happy", "-o", tmp_path / "expected.png")
    os.mkfifo(tmp_path / "pipe")
    writing = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(picture,))
    writing.start()  # as the shell's <(curl ...) does
    result = run(tmp_path / "pipe", "--to", "happy", "-o", out if out == "-" else tmp_path / out)
    writing.join()
    assert result.exit_code == 0, result.output
    made = result.stdout_bytes if out == "-" else (tmp_path / out).read_bytes()
    assert made == (tmp_path / "expected.png").read_bytes()
