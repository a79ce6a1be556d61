"""A kill while superseded results are taken out of tars and tables loses and doubles nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from cctranslate.batch.outputs import webdataset
from tests.batch.report.replacing import change, results
from tests.support.cli import Run
from tests.support.pictures import draw_face

KILLED_CALLS = """
import os, shutil, sys
from pathlib import Path

from cctranslate.batch import run
from cctranslate.batch.outputs import webdataset
from cctranslate.cli import cli
from cctranslate.files.writing import AppendOnlyFile

webdataset.FULL = 12_000

def kill_at(step):
    def killing(function):
        def call(*words, **options):
            nonlocal step
            step -= 1
            if step == 0:
                os.kill(os.getpid(), 9)
            return function(*words, **options)
        return call
    AppendOnlyFile.add = killing(AppendOnlyFile.add)
    Path.replace = killing(Path.replace)
    Path.unlink = killing(Path.unlink)

def call(out, step):
    process = os.fork()
    if process == 0:
        kill_at(step)
        cli([*sys.argv[2:], "-o", out])
    return os.waitpid(process, 0)[1]

before, step, status = sys.argv[1], 0, 9
while status == 9:
    step += 1
    shutil.copytree(before, f"killed{step}")
    status = call(f"killed{step}", step)
    assert call(f"killed{step}", 0) == 0
assert status == 0
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no such signal there")
@pytest.mark.parametrize("layout", ["webdataset", "fer-csv"])
def test_a_kill_at_any_step_loses_and_doubles_nothing(
    run: Run, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    """Each call is killed one step later than the one before, until one comes to its end.

    Steps are additions to files, and files that get or lose their names.
    """
    monkeypatch.setattr(webdataset, "FULL", 12_000)
    monkeypatch.chdir(tmp_path)
    folder = Path("in")
    folder.mkdir()
    for number, name in enumerate(("changed", "same", "zero")):
        Image.fromarray(draw_face(number, 0)).save(folder / f"{name}.png")
    words = ("in", "--to", "happy", "--layout", layout, "--no-html", "--no-sheet")
    assert run(*words, "-o", "before").exit_code == 0
    change(folder, "changed")
    change(folder, "zero", 5)
    fixed = ["before", "batch", *words, "--weights", str(weights), "-q"]
    subprocess.run([sys.executable, "-c", KILLED_CALLS, *fixed], check=True)
    assert run(*words, "-o", "anew").exit_code == 0
    outs = sorted(Path().glob("killed*"))
    assert len(outs) > 8
    for out in outs:
        assert results(out) == results(Path("anew")), out
