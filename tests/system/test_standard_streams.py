"""Closed, full and abandoned standard streams: one line with the cause, never a traceback."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import command
from tests.support.reports import rows

pytestmark = pytest.mark.skipif(os.name != "posix", reason="redirections of a POSIX shell")


@pytest.fixture
def batch(weights: Path, faces: Path, tmp_path: Path) -> str:
    """A batch command on one face, for a shell, without its output."""
    fixed = ("--weights", weights, "--device", "cpu", "--no-html")
    return shlex.join(command("batch", "--to", "sad", *fixed))


def shell(script: str, folder: Path) -> tuple[int, str]:
    """Return a script's exit code and its standard error."""
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, stderr=subprocess.PIPE, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


FACE = "faces/sad/4.png"
FULL = "Error: standard output: No space left on device\n"
CLOSED = "Error: standard output: closed\n"


@pytest.mark.parametrize("words", ["--help", "--version", "batch --help", "fit --list"])
@pytest.mark.parametrize(("stdout", "message"), [("/dev/full", FULL), ("&-", CLOSED)])
def test_text_that_cannot_be_printed(tmp_path: Path, words: str, stdout: str, message: str) -> None:
    assert shell(f"{shlex.join(command())} {words} >{stdout}", tmp_path) == (1, message)


def test_doctor_on_a_full_disk(weights: Path, tmp_path: Path) -> None:
    words = command("doctor", "--weights", weights, "--device", "cpu")
    assert shell(f"{shlex.join(words)} >/dev/full", tmp_path) == (1, FULL)


def test_help_whose_reader_went_away(tmp_path: Path) -> None:
    script = f"{shlex.join(command())} --help | true; exit ${{PIPESTATUS[0]}}"
    assert shell(script, tmp_path)[0] in (0, 141)  # 0 if it was written before the reader left


@pytest.mark.parametrize("words", ["-o - ", "-o out --report -", "--dry-run"])
def test_results_for_a_stdout_that_is_closed_are_refused(
    batch: str, tmp_path: Path, words: str
) -> None:
    code, stderr = shell(f"{batch} {FACE} {words} >&-", tmp_path)
    assert code == 2
    assert stderr.endswith(": standard output is closed: redirect it\n")
    assert stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", ["-o - ", "-o out --report -", "--dry-run"])
def test_results_for_a_full_disk_are_refused(batch: str, tmp_path: Path, words: str) -> None:
    code, stderr = shell(f"{batch} {FACE} {words} >/dev/full", tmp_path)
    assert code == 1
    assert stderr.endswith(": cannot be written: No space left on device\n")
    assert stderr.count("\n") == 1


@pytest.mark.parametrize("words", ["-", "-T -"])
def test_an_input_from_a_stdin_that_is_closed_is_refused(
    batch: str, tmp_path: Path, words: str
) -> None:
    code, stderr = shell(f"{batch} {words} -o out <&-", tmp_path)
    assert code == 2
    assert stderr.endswith("-: standard input is closed: redirect it\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("closed", "kind"),
    [
        ("<&-", "--threads"),
        (">&-", "--threads"),
        ("2>/dev/full", "--threads"),
        ("<&- >&- 2>&-", "--threads"),
        ("<&- >&- 2>&-", "--processes"),
    ],
)
def test_a_run_needs_no_standard_stream(batch: str, tmp_path: Path, closed: str, kind: str) -> None:
    """A closed descriptor's number must not become that of a result's file."""
    assert shell(f"{batch} {FACE} -o whole -q", tmp_path)[0] == 0
    assert shell(f"{batch} {FACE} -o out {kind} {closed}", tmp_path)[0] == 0
    (row,) = rows(tmp_path / "out")
    assert row["status"] == "done"
    made, wanted = (tmp_path / folder / "sad" for folder in ("out", "whole"))
    assert {p.name: p.read_bytes() for p in made.iterdir()} == {
        p.name: p.read_bytes() for p in wanted.iterdir()
    }


def test_an_error_keeps_its_exit_code_where_stderr_is_closed(batch: str, tmp_path: Path) -> None:
    assert shell(f"{batch} nowhere.png -o out 2>&-", tmp_path)[0] == 2


def test_too_few_file_descriptors_are_named(batch: str, tmp_path: Path) -> None:
    for number in range(300):  # a short run starts no process
        (tmp_path / "faces" / f"{number}.png").write_bytes((tmp_path / FACE).read_bytes())
    script = f"ulimit -n 14; {batch} faces -o out -q --processes --workers 8"
    code, stderr = shell(script, tmp_path)
    assert code == 1
    assert "Too many open files" in stderr
    assert "ulimit -n" in stderr
    assert "memory" not in stderr


def test_no_folder_for_temporary_files_is_named(batch: str, tmp_path: Path) -> None:
    (tmp_path / "nowhere.py").write_text(
        "import sys, tempfile\n"
        "tempfile._candidate_tempdir_list = lambda: ['nowhere']\n"
        "from cctranslate.cli import main\n"
        "main()\n"
    )
    script = batch.replace("-m cctranslate", "nowhere.py")
    code, stderr = shell(f"{script} {FACE} -o - | cat; exit ${{PIPESTATUS[0]}}", tmp_path)
    assert code == 1
    assert stderr.count("\n") == 1
    assert "TMPDIR" in stderr
