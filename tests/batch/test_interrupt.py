"""Signals that come while nothing is in flight: a run that waits, or closes its books, ends too."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.cli import child, wait_until
from tests.support.pictures import write_many
from tests.support.reports import count_lines, rows

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no such signals or pipes there")
SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@SIGNALS
def test_a_signal_ends_a_run_that_waits_for_its_list(
    weights: Path, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "out"
    words = ("batch", "-T", "-", "--to", "happy", "--weights", weights, "-o", out)
    pictures = sorted(write_many(tmp_path / "in", 40).iterdir())
    listed = b"".join(os.fsencode(path) + b"\n" for path in pictures)
    with child(
        *(*words, "--batch-size", "1", "--workers", "1"),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(listed + b"half a na")
        process.stdin.flush()
        wait_until(process, lambda: count_lines(out) >= 2)
        process.send_signal(number)
        # The sender of the list sends nothing more, and does not end.
        messages = process.stderr.read()
        assert process.wait() == 130, messages
    assert b"the same command goes on from here" in messages
    found = json.loads((out / "run.json").read_text())
    assert (found["finished"], found["failed"]) == (False, 0)
    assert 2 <= found["done"] == len(rows(out)) <= 40


@SIGNALS
def test_a_signal_after_the_last_input_lets_the_copy_of_the_report_be_written(
    weights: Path, faces: Path, tmp_path: Path, number: signal.Signals
) -> None:
    out, copy = tmp_path / "out", tmp_path / "copy.csv"
    os.mkfifo(copy)
    process = child(
        *("batch", faces, "--to", "happy", "--weights", weights, "-o", out, "--report", copy),
        stderr=subprocess.PIPE,
    )
    wait_until(process, (out / "report.html").exists)
    process.send_signal(number)
    assert copy.read_bytes() == (out / "report.csv").read_bytes()
    _, messages = process.communicate()
    assert process.returncode == 130, messages
    assert b"7 inputs: 7 done" in messages
    assert len(rows(out)) == 7


@SIGNALS
def test_a_signal_ends_the_wait_for_a_silent_pipe(
    weights: Path, faces: Path, tmp_path: Path, number: signal.Signals
) -> None:
    pipe, out = tmp_path / "silent.png", tmp_path / "out"
    os.mkfifo(pipe)
    words = ("batch", faces / "sad", pipe, "--to", "happy", "--weights", weights, "-o", out)
    with child(*words, stderr=subprocess.PIPE) as process:
        writer = None
        while writer is None and process.poll() is None:
            try:
                writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads it yet
                time.sleep(0.005)
        process.send_signal(number)
        _, messages = process.communicate()
    assert writer is not None, messages
    os.close(writer)
    assert process.returncode == 130, messages
    assert [row["status"] for row in rows(out)] == ["done"]


@SIGNALS
def test_a_signal_during_an_import_is_no_traceback(
    faces: Path, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "onnxruntime.py").write_text(  # a compiled library ends so
        f"""import os, signal
try:
    os.kill(os.getpid(), {number:d})
    signal.pause()
except KeyboardInterrupt:
    raise ImportError("initialization failed")
"""
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = child(
        *("batch", faces, "--to", "happy", "-o", tmp_path / "out"),
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
    )
    _, messages = process.communicate()
    assert process.returncode == 130, messages
    assert b"Traceback" not in messages
