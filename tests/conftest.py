"""Fixtures shared by all tests: a tiny bundle, folders of drawn faces, the command line."""

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from cctranslate.emotions import EMOTIONS
from tests import drawn, tiny

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose answers a test can work out."""
    return tiny.write_bundle(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def mouths(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, but that it changes the mouth: in a larger picture the corner stays."""
    return tiny.write_bundle(tmp_path_factory.mktemp("mouths"), tiny.MOUTH)


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """A folder of seven drawn faces, `<emotion>/<n>.png`."""
    root = tmp_path / "faces"
    for label, emotion in enumerate(EMOTIONS):
        (root / emotion).mkdir(parents=True)
        Image.fromarray(drawn.face(label, 0)).save(root / emotion / f"{label}.png")
    return root


@pytest.fixture
def run(weights: Path) -> Run:
    """`cctranslate batch` in this process, with the tiny bundle on the CPU."""
    from cctranslate.cli import cli

    def invoke(*words: str | Path) -> Result:
        fixed = ["batch", "--weights", str(weights), "--device", "cpu"]
        return CliRunner().invoke(cli, [*fixed, *(os.fspath(word) for word in words)])

    return invoke


def rows(out: Path) -> list[dict[str, str]]:
    """The report's rows."""
    with (out / "report.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


def tree(out: Path) -> dict[str, bytes]:
    """Every result file below a folder, by relative path."""
    files = [p for p in out.rglob("*") if p.is_file() and p.suffix not in (".json", ".html")]
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in files if p.suffix != ".csv"}


def command(*words: str | Path) -> list[str]:
    """The command line as a child process runs it."""
    return [sys.executable, "-m", "cctranslate", *(os.fspath(word) for word in words)]


def child(*words: str | Path, **options: object) -> subprocess.Popen[bytes]:
    """Start `cctranslate` as a process of its own, which Ctrl-C reaches."""
    if os.name == "posix":
        # A shell starts its background jobs, and so all of a test run there, deaf to it.
        options["preexec_fn"] = _hear_ctrl_c
    return subprocess.Popen(command(*words), **options)  # type: ignore[call-overload, no-any-return]


def _hear_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
