"""Two runs at once in one OUT: the second is refused; one that was killed is in nobody's way."""

import errno
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import Run, child, command, wait_until
from tests.support.reports import rows


def start(weights: Path, out: Path) -> subprocess.Popen[bytes]:
    """A run that waits for its list of inputs, begun as far as having OUT to itself."""
    process = child(
        *("batch", "-T", "-", "--to", "happy", "--weights", weights, "-o", out, "-q"),
        stdin=subprocess.PIPE,
    )
    wait_until(process, (out / "run.json").exists)
    return process


@pytest.mark.skipif(os.name == "nt", reason="locks in another way there")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_a_warning(
    run: Run, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    import fcntl

    def refused(*words: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refused)
    for _ in range(2):
        result = run(faces, "--to", "sad", "-o", tmp_path / "out")
        assert result.exit_code == 0, result.output
        assert "out: its file system has no locks: start no other run there" in result.output
    assert len(rows(tmp_path / "out")) == 7
    assert not list((tmp_path / "out").glob(".*"))


def test_the_second_is_refused_and_the_first_is_not_hurt(
    weights: Path, faces: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = start(weights, out)
    words = ("batch", faces, "--to", "sad", "--weights", weights, "-o", out)
    for more in ((), ("--overwrite",)):
        second = subprocess.run(command(*words, *more), capture_output=True, check=False)
        assert second.returncode == 2
        (messages,) = second.stderr.splitlines()
        assert messages.startswith(b"Error: ")
        assert b"another run is writing there" in messages
    first.communicate(b"".join(os.fsencode(p) + b"\n" for p in sorted(faces.rglob("*.png"))))
    assert first.returncode == 0
    assert len(rows(out)) == 7
    left = {p.name for p in out.iterdir()}
    assert left == {"happy", "report.csv", "report.html", "run.json"}


def test_a_killed_run_leaves_nobody_locked_out(weights: Path, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = start(weights, out)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert (out / ".run.lock").exists()
    words = ("batch", "-T", "-", "--to", "happy", "--weights", weights, "-o", out, "-q")
    listed = b"".join(os.fsencode(p) + b"\n" for p in sorted(faces.rglob("*.png")))
    again = subprocess.run(command(*words), input=listed, capture_output=True, check=False)
    assert again.returncode == 0, again.stderr
    assert len(rows(out)) == 7
    assert not (out / ".run.lock").exists()


def test_runs_that_race_for_one_out_make_it_one_after_the_other(
    weights: Path, faces: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ("batch", faces, "--to", "happy", "--weights", weights, "-o", out, "-q")
    racing = [child(*words, stderr=subprocess.DEVNULL) for _ in range(4)]
    codes = {process.wait() for process in racing}
    assert 0 in codes
    assert codes <= {0, 2}
    assert len(rows(out)) == 7
