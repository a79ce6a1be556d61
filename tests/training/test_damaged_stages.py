"""Damaged folders of the runs that a run builds on: one line names the file and what to do."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cctranslate.errors import OutputError, UserError
from cctranslate.training.checkpoint import FILE, TEACHERS
from cctranslate.training.fit import TrainingRun, fit
from cctranslate.training.run_folder import MANIFEST
from tests.support.training import MakeRun, small

STAGE = "guide-plain"


def cut(folder: Path) -> None:
    path = folder / FILE
    path.write_bytes(path.read_bytes()[:-100])


def emptied(folder: Path) -> None:
    (folder / FILE).write_bytes(b"")


def of_other_networks(folder: Path) -> None:
    state = torch.load(folder / FILE, weights_only=True)
    del state["trainer"]["network"]
    torch.save(state, folder / FILE)


def a_folder(folder: Path) -> None:
    (folder / FILE).unlink()
    (folder / FILE).mkdir()


def of_another_version(folder: Path) -> None:
    content = json.loads((folder / MANIFEST).read_text())
    content["recipe"]["of_the_future"] = 1
    (folder / MANIFEST).write_text(json.dumps(content))


def half_a_recipe(folder: Path) -> None:
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text()[:50])


def no_recipe(folder: Path) -> None:
    (folder / MANIFEST).unlink()


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (cut, FILE),
        (emptied, FILE),
        (of_other_networks, FILE),
        (a_folder, FILE),
        (of_another_version, MANIFEST),
        (half_a_recipe, MANIFEST),
        (no_recipe, MANIFEST),
    ],
)
def test_a_damaged_stage_says_how_to_go_on(
    make_run: MakeRun, damage: Callable[[Path], None], named: str
) -> None:
    run: TrainingRun = replace(make_run(small("flow-start", 2)), stage=STAGE)
    fit(run)
    folder = run.folder / TEACHERS / STAGE
    damage(folder)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    with pytest.raises(UserError) as refused:
        fit(replace(run, resume=True))
    line = str(refused.value)
    assert line.startswith(str(folder))
    assert named in line
    assert line.endswith(f"or remove {folder}: `fit --resume` trains it anew")
    assert "\n" not in line
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    shutil.rmtree(folder)
    assert fit(replace(run, resume=True)).finished, "as the line says"


def test_a_file_in_the_place_of_a_stage_is_named(make_run: MakeRun) -> None:
    run = replace(make_run(small("flow-start", 2)), stage=STAGE)
    fit(run)
    folder = run.folder / TEACHERS / STAGE
    shutil.rmtree(folder)
    folder.touch()
    with pytest.raises(OutputError, match=f"{STAGE}: cannot be written"):
        fit(replace(run, resume=True))
