"""Named inputs that cannot be read: links to themselves, and unknown names."""

import os
import sys
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
    ("word", "said"),
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
def test_an_input_that_is_not_there_is_told(run: Run, tmp_path: Path, word: str, said: str) -> None:
    result = run(word, "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert result.output.strip() == f"Error: {said}"
    assert not (tmp_path / "out").exists()
