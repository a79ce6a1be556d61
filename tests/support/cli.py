"""Run `cctranslate` in this process, or start it in a child and wait for what it does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner, Result

Run = Callable[..., Result]
"""The `run` fixture: `cctranslate batch` in this process, with the tiny bundle."""


def invoke(*words: str | Path) -> Result:
    """Run `cctranslate` in this process."""
    from cctranslate.cli import cli

    return CliRunner().invoke(cli, [os.fspath(word) for word in words])


def command(*words: str | Path) -> list[str]:
    """Return the command line of a child process."""
    return [sys.executable, "-m", "cctranslate", *(os.fspath(word) for word in words)]


def child(*words: str | Path, **options: object) -> subprocess.Popen[bytes]:
    """Start `cctranslate` as a child process that signals reach."""
    if os.name == "posix":
        # A shell starts its background jobs, and so a whole test run there, deaf to Ctrl-C.
        options["preexec_fn"] = _hear_signals
    return subprocess.Popen(command(*words), **options)  # type: ignore[call-overload, no-any-return]


def run_python(code: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a new interpreter, with `words` as its arguments."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


def wait_until(process: subprocess.Popen[bytes], condition: Callable[[], bool]) -> None:
    """Wait until a running child has made a condition true; fail if it ends without that."""
    while not condition():
        if process.poll() is not None and not condition():
            raise AssertionError(f"the child ended first, with exit code {process.returncode}")
        time.sleep(0.002)


def held(*words: str | Path, **options: object) -> subprocess.Popen[bytes]:
    """Start `cctranslate batch` so that it cannot end before its report is read.

    However late this process gets the processor, the run is at work when it does. The pipe holds
    few rows; `communicate` lets the run go on.
    """
    words = ("batch", *words, "--report", "-")
    return child(*words, stdout=subprocess.PIPE, bufsize=0, pipesize=4096, **options)


def read_until(process: subprocess.Popen[bytes], condition: Callable[[], bool]) -> None:
    """Read a held run's report until a condition is true; fail if the run ends without that."""
    assert process.stdout is not None
    while not condition():
        assert process.stdout.read(4096), "the run ended first"


def _hear_signals() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
