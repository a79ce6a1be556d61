"""What a run shows on a terminal, and only there."""

import os
import subprocess
from pathlib import Path

import pytest

from cctranslate.commands.progress import BatchProgress
from tests.support.cli import Run, child

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals there")


def on_a_terminal(*words: str | Path, **environment: str) -> list[str]:
    """The lines, between any ends of them, that a terminal of 90x30 gets from stderr."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))
    process = child(
        *words, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, **environment}
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 1 << 16):
            shown += piece
    except OSError:
        pass  # how Linux says that nobody holds the other end any more
    os.close(ours)
    assert process.wait() == 0, shown
    return [line.strip() for line in shown.decode().replace("\r", "\n").split("\n")]


def test_words_stand_above_the_bar_and_not_in_it(
    weights: Path, faces: Path, tmp_path: Path
) -> None:
    words = ("batch", faces, "--to", "happy", "--weights", weights, "--device", "cpu")
    shown = on_a_terminal(*words, "-o", tmp_path / "bar", NO_COLOR="1")
    assert any(line.startswith("faces: ") for line in shown)
    assert "running on CPU" in shown
    assert not any("\x1b[" in line and "m" in line.partition("\x1b[")[2][:4] for line in shown)
    for option in ("--no-progress", "-q"):
        without = on_a_terminal(*words, "-o", tmp_path / option, option)
        assert not any("faces:" in line for line in without)
        assert ("running on CPU" in without) == (option != "-q")


def test_what_gets_another_expression_is_yet_to_do(
    run: Run, weights: Path, faces: Path, tmp_path: Path
) -> None:
    run(faces, "--to", "happy", "-o", tmp_path / "out")
    words = ("batch", faces, "--weights", weights, "--device", "cpu", "-o", tmp_path / "out")
    bars = [line for line in on_a_terminal(*words, "--to", "happy,sad") if "faces:" in line]
    assert "| 0/7 [" in bars[0]
    assert "| 7/7 [" in bars[-1]


def test_elsewhere_there_is_no_bar(weights: Path, faces: Path, tmp_path: Path) -> None:
    words = ("batch", faces, "--to", "happy", "--weights", weights, "-o", tmp_path / "out")
    process = child(*words, stderr=subprocess.PIPE)
    _, messages = process.communicate()
    assert b"faces:" not in messages
    assert messages.startswith(b"running on ")


def test_off_a_terminal_a_line_comes_at_times(capsys: pytest.CaptureFixture[str]) -> None:
    progress = BatchProgress(200, hidden=False, every=0)
    progress.start(100)
    progress.step()
    progress.step(99)
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith("101 of 200 inputs (50%), ")
    assert last == "200 of 200 inputs (100%), 0 min left"
    hidden = BatchProgress(None, hidden=True, every=0)
    hidden.start(0)
    hidden.step()
    assert capsys.readouterr().err == ""
    assert hidden.line() == "1 done"
