"""Signals, closed pipes, full disks and lost folders are one line, and nothing is lost."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from cctranslate.batch.gallery import contact_sheet
from cctranslate.batch.inputs import decoding
from tests.support import pictures
from tests.support.cli import Run, child, command, held, read_until, wait_until
from tests.support.reports import count_lines, rows


def run_with_packages(folder: Path, faces: Path) -> "subprocess.CompletedProcess[str]":
    """Translate faces in a process that takes packages from a folder before others."""
    return subprocess.run(
        command("batch", faces, "--to", "sad", "-o", folder / "out"),
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_library_that_cannot_be_loaded_is_one_line(faces: Path, tmp_path: Path) -> None:
    (tmp_path / f"onnxruntime{EXTENSION_SUFFIXES[0]}").write_bytes(b"cut off")
    done = run_with_packages(tmp_path, faces)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: a library cannot be loaded: ")
    assert len(done.stderr.splitlines()) == 1
    assert "onnxruntime" in done.stderr


@pytest.mark.parametrize("package", ["onnxruntime", "cv2"])
def test_a_package_that_is_not_whole_is_one_line(faces: Path, tmp_path: Path, package: str) -> None:
    (tmp_path / package).mkdir()
    content = "" if package == "onnxruntime" else "import cv2.gone\n"
    (tmp_path / package / "__init__.py").write_text(content)
    done = run_with_packages(tmp_path, faces)
    assert done.returncode == 4
    assert done.stderr.startswith(f"Error: {package} is not installed, or not whole: pip ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_report_and_says_how_to_go_on(
    weights: Path, tmp_path: Path, number: signal.Signals
) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 500), tmp_path / "out"
    words = (folder, "--to", "happy", "--weights", weights, "-o", out)
    process = held(*words, stderr=subprocess.PIPE)
    read_until(process, lambda: count_lines(out) >= 20)
    process.send_signal(number)
    _, messages = process.communicate()
    assert process.returncode == 130, messages
    assert b"the same command goes on from here" in messages
    reported = json.loads((out / "run.json").read_text())
    assert reported["finished"] is False
    assert reported["found"] == reported["done"] == len(rows(out)) < 500
    assert child("batch", *words, "-q").wait() == 0
    assert len(rows(out)) == 500


@pytest.mark.skipif(os.name == "nt", reason="no such terminals there")
def test_a_terminal_that_is_closed_ends_the_run_in_order(weights: Path, tmp_path: Path) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 40), tmp_path / "out"
    os.mkfifo(tmp_path / "list")
    words = ("batch", "-T", tmp_path / "list", "--to", "happy", "--weights", weights, "-o", out)
    number, terminal = pty.fork()
    if number == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.execv(sys.executable, command(*words))
    # The list has no end before this block has.
    with (tmp_path / "list").open("r+b", buffering=0) as listed:
        listed.write(b"".join(os.fsencode(path) + b"\n" for path in sorted(folder.iterdir())))
        while count_lines(out) < 20:
            assert os.waitpid(number, os.WNOHANG) == (0, 0)
            time.sleep(0.002)
        os.close(terminal)
        _, status = os.waitpid(number, 0)
    assert os.waitstatus_to_exitcode(status) == 130
    reported = json.loads((out / "run.json").read_text())
    assert reported["finished"] is False
    assert 19 <= reported["found"] == reported["done"] == len(rows(out)) <= 40
    assert (out / "report.html").exists()


@pytest.mark.skipif(os.name == "nt", reason="no such signal there")
def test_signals_that_nohup_or_a_shell_ignores_do_not_end_a_run(
    weights: Path, tmp_path: Path
) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 300), tmp_path / "out"
    words = ("batch", folder, "--to", "happy", "--weights", weights, "-o", out, "-q")

    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does for `&`

    process = subprocess.Popen(command(*words), preexec_fn=ignore)
    wait_until(process, lambda: count_lines(out) >= 20)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 0
    assert len(rows(out)) == 300


def test_memory_that_is_short_is_one_line(
    run: Run, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(*words: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(decoding, "to_gray", raising)
        result = run(faces, "--to", "happy", "-o", tmp_path / "out", "--threads")
    assert result.exit_code == 1
    assert {row["reason"].partition(": give")[0] for row in rows(tmp_path / "out")} == {
        "decode: memory is short"
    }
    monkeypatch.setattr(contact_sheet, "draw", raising)
    result = run(faces, "--to", "happy", "-o", tmp_path / "out", "--retry-failed")
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == (
        "Error: memory is short: free some, and run the same command again"
    )


def test_a_reader_that_goes_away_ends_it_quietly(weights: Path, tmp_path: Path) -> None:
    folder = pictures.write_many(tmp_path / "in", 600)
    process = child(
        *("batch", folder, "--to", "all", "--weights", weights, "-o", tmp_path / "out"),
        *("--report", "-", "-q"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    messages = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 141
    assert messages == b""


@pytest.mark.skipif(os.name == "nt", reason="needs a shell with ulimit")
def test_a_full_disk_is_one_line_and_keeps_what_is_done(weights: Path, tmp_path: Path) -> None:
    folder, out = pictures.write_many(tmp_path / "in", 60), tmp_path / "out"
    # A limit on file size stands in for the full disk: the report outgrows it.
    script = "ulimit -f 4; trap '' XFSZ; exec \"$@\""
    words = ("batch", folder, "--to", "happy", "--weights", weights, "-o", out, "-q")
    done = subprocess.run(
        ["bash", "-c", script, "bash", *command(*words, "--batch-size", "4")],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"cannot be written" in done.stderr
    kept = len(rows(out))
    assert 0 < kept < 60


def test_an_out_that_cannot_be_made_is_one_line(run: Run, faces: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = run(faces, "--to", "happy", "-o", tmp_path / "file" / "out")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.skipif(os.name != "posix", reason="no folder that is somebody's can be deleted there")
def test_a_working_directory_that_was_deleted_is_one_line(faces: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'rmdir "$PWD" && exec "$@"'
    result = subprocess.run(
        ["sh", "-c", script, "sh", *command("batch", faces, "--to", "sad")],
        cwd=gone,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert result.stderr == (
        "Error: the working directory was deleted: change to one that is there\n"
    )
