"""A run that was killed, and run again, leaves what a run that was never stopped leaves."""

import itertools
import json
import os
import random
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support import pictures
from tests.support.cli import child, held, read_until
from tests.support.reports import count_lines, rows, timeless, tree

FACES = 60
CASES = {
    "folder": ("in",),
    "zip": ("in.zip",),
    "tar.gz": ("in.tar.gz",),
    "csv": ("in.csv",),
    "webdataset": ("in", "--layout", "webdataset"),
    "fer-csv": ("in", "--layout", "fer-csv"),
    "quota": ("in", "--layout", "tree", "--confirmed-only", "--per-class", "15"),
}
# Small tars, so that there are several.
MAIN = """
from cctranslate.batch.outputs import webdataset
from cctranslate.cli import main
webdataset.FULL = 20_000
main()
"""


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the same faces in each form; one is broken, and each third is never `sad`."""
    monkeypatch.chdir(tmp_path)
    folder = pictures.write_many(Path("in"), FACES, FACES)
    for number in range(0, FACES, 3):
        Image.fromarray(np.full((48, 48), 255, np.uint8)).save(folder / f"{number:04}.png")
    (folder / "0005.png").write_bytes(b"\x89PNG\r\n")
    with zipfile.ZipFile("in.zip", "w") as packed, tarfile.open("in.tar.gz", "w:gz") as tarred:
        for path in sorted(folder.iterdir()):
            packed.write(path)
            tarred.add(path)
    pictures.write_csv(Path("in.csv"), FACES)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_killed_and_run_again_equals_never_stopped(inputs: None, weights: Path, case: str) -> None:
    words = [sys.executable, "-c", MAIN, "batch", *CASES[case], "--to", "happy,sad", "-q"]
    words += ["--weights", os.fspath(weights), "--batch-size", "1"]
    finished = subprocess.run([*words, "-o", "whole"], check=False).returncode
    assert finished == (0 if case == "csv" else 1)  # the broken picture
    whole = timeless(Path("whole"))
    for stop in (3, 25):
        # A small pipe that is not read ahead: the run cannot end before it is killed.
        process = subprocess.Popen(
            [*words, "-o", "killed", "--report", "-"],
            stdout=subprocess.PIPE,
            bufsize=0,
            pipesize=4096,
        )
        assert process.stdout is not None
        streamed = [json.loads(line) for line in itertools.islice(process.stdout, stop)]
        assert len(streamed) == stop
        process.kill()
        process.communicate()
        assert len(rows(Path("killed"))) < len(whole)
    assert subprocess.run([*words, "-o", "killed"], check=False).returncode == finished
    assert timeless(Path("killed")) == whole
    assert tree(Path("killed")) == tree(Path("whole"))


@pytest.mark.slow
def test_killed_twenty_times_equals_never_stopped(weights: Path, tmp_path: Path) -> None:
    folder, out, whole = tmp_path / "in", tmp_path / "out", tmp_path / "whole"
    pictures.write_many(folder, 1200)
    words = (folder, "--to", "happy", "--weights", weights, "--batch-size", "4", "-q")
    assert child("batch", *words, "-o", whole).wait() == 0
    chance = random.Random(0)
    for kill in range(20):
        if kill < 15:  # while it starts or is at work
            wanted = count_lines(out) + chance.choice((0, 20, 40))
            process = held(*words, "-o", out)
            read_until(process, lambda wanted=wanted: count_lines(out) >= wanted)  # type: ignore[misc]
        else:  # when all is done, while it closes its books
            process = child("batch", *words, "-o", out)
            while process.poll() is None and count_lines(out) < 1201:
                time.sleep(0.002)
        time.sleep(chance.random() ** 4 * 0.1)
        process.kill()
        process.communicate()
        assert kill >= 15 or count_lines(out) < 1201
    assert child("batch", *words, "-o", out).wait() == 0
    assert timeless(out) == timeless(whole)
    assert tree(out) == tree(whole)
    ended = [json.loads((folder / "run.json").read_text()) for folder in (out, whole)]
    assert ended[0]["confirmed_share"] == ended[1]["confirmed_share"]
    assert [run["finished"] for run in ended] == [True, True]
