"""Whole trainings on drawn faces: planned, staged, measured, resumed."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cctranslate import bundle
from cctranslate.errors import (
    BundleError,
    DataError,
    RunError,
    WrongRunError,
)
from cctranslate.recipes.components import derive
from cctranslate.recipes.gan import GanRecipe, Stage
from cctranslate.recipes.registry import OUR_TRANSLATOR, RECIPES, find
from cctranslate.training import checkpoint
from cctranslate.training.checkpoint import TEACHERS
from cctranslate.training.fit import TrainingRun, fit, plan_runs
from cctranslate.training.run_folder import (
    load_generator,
    read_manifest,
)
from tests.support.training import AT_ONCE, BACKED, MakeRun, log, needs_backbone, small

WITH_STUDENT = {recipe.name for recipe in OUR_TRANSLATOR[1:-1]}
"""What is trained for the student in any case."""
RUNNABLE = [
    pytest.param(name, marks=needs_backbone if name in BACKED else ())
    for name in RECIPES
    if name not in WITH_STUDENT
]


@pytest.mark.parametrize("name", RUNNABLE)
def test_every_recipe_takes_real_steps(name: str, make_run: MakeRun) -> None:
    run = make_run(small(name, 2))
    result = fit(run)
    assert result.finished
    lines = log(run.folder)
    assert lines[-1]["step"] == result.step >= 2  # how many pairs a student has is not known before
    for planned in plan_runs(run):
        steps = log(planned.folder)
        assert steps
        assert all(math.isfinite(value) for line in steps for value in line.values())
    assert read_manifest(run.folder).recipe == run.recipe


def test_a_damaged_install_is_refused_before_anything_is_trained(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bundle, "shipped", lambda: tmp_path / "nothing")
    run = make_run(find("flow"))
    with pytest.raises(BundleError, match="recogniser"):
        fit(run)
    assert not run.folder.exists()


def test_a_run_is_planned_from_its_classifiers_by_its_stages_to_itself(make_run: MakeRun) -> None:
    run = make_run(find("flow-late"))
    *before, last = plan_runs(run)
    assert last is run
    names = [planned.recipe.name for planned in before]
    assert names[-2:] == ["flow-start", "flow-middle"]
    assert set(names[:-2]) == set(run.recipe.prerequisites)
    assert all(planned.folder == run.folder / TEACHERS / planned.recipe.name for planned in before)
    alone = make_run(find("t26"))
    assert plan_runs(alone) == [alone]


def test_what_prerequisites_build_on_is_planned_before_them_and_once(make_run: MakeRun) -> None:
    made = [planned.recipe.name for planned in plan_runs(make_run(find("pairs")))]
    assert set(made) == {
        *find("flow-start").prerequisites,
        *find("pairs").prerequisites,
        "pairs",
    }
    assert len(set(made)) == len(made)
    assert made[-1] == "pairs"
    assert made.index("guide-plain") < made.index("flow-start") < made.index("teacher")


def test_teachers_are_trained_first_and_only_once(make_run: MakeRun) -> None:
    run = make_run(small("flow", 2))
    fit(run)
    teachers = sorted(p.name for p in (run.folder / TEACHERS).iterdir())
    assert teachers == [
        "encoder",
        "encoder-plain",
        "encoder-smooth",
        "flow-eyes",
        "flow-known",
        "flow-late",
        "flow-loud",
        "flow-middle",
        "flow-start",
        "flow-wide",
        "guide-broad",
        "guide-clear",
        "guide-fine",
        "guide-labels",
        "guide-plain",
        "guide-sharp",
        "guide-smooth",
        "guide-soft",
        "guide-wide",
    ]
    assert not (run.folder / TEACHERS / "flow-start" / TEACHERS).exists()
    before = (run.folder / TEACHERS / "encoder" / "log.jsonl").read_text()
    assert fit(make_run(small("flow", 2), resume=True)).finished
    assert (run.folder / TEACHERS / "encoder" / "log.jsonl").read_text() == before


def test_stages_are_trained_one_by_one_in_the_folder_of_the_whole(make_run: MakeRun) -> None:
    whole = make_run(small("flow-middle", 2), resume=True)
    teachers = whole.folder / TEACHERS
    assert fit(replace(whole, resume=False, stage="guide-plain")).finished
    assert [path.name for path in teachers.iterdir()] == ["guide-plain"]
    assert not (whole.folder / "log.jsonl").exists()
    with pytest.raises(RunError, match="already holds a run: add --resume"):
        fit(replace(whole, resume=False, stage="flow-start"))
    trained = (teachers / "guide-plain" / "log.jsonl").read_text()
    assert fit(replace(whole, stage="flow-start")).finished
    built = {path.name for path in teachers.iterdir()}
    assert built == {"flow-start", *find("flow-start").prerequisites}
    result = fit(whole)
    assert (result.step, result.finished) == (2, True)
    assert (teachers / "guide-plain" / "log.jsonl").read_text() == trained


def two_stages(**last: Any) -> GanRecipe:
    """Flow's first two stages; the second with other settings."""
    flow = find("flow-middle")
    assert isinstance(flow, GanRecipe)
    first, second = flow.stages
    return derive(flow, stages=(first, replace(second, **last)))


@pytest.mark.parametrize("fresh", [False, True])
def test_a_stage_goes_on_from_where_the_one_before_ended(make_run: MakeRun, fresh: bool) -> None:
    still = {"lr": 1e-12, "batch_size": 8, "epochs": 1 / 7}
    run = make_run(two_stages(procedure=still, fresh_d=fresh))
    fit(run)
    before = run.folder / TEACHERS / "flow-start"
    began, ended = (
        checkpoint.load(folder, read_manifest(folder).recipe)["trainer"]
        for folder in (before, run.folder)
    )
    for now in ("g", "average"):
        for name, value in load_generator(before).state_dict().items():
            torch.testing.assert_close(ended[now][name], value, msg=f"{now}.{name}")
    same = [torch.allclose(ended["d"][name], value) for name, value in began["d"].items()]
    assert all(same) != fresh


def test_a_stage_ends_as_a_blend_of_what_it_began_with(make_run: MakeRun) -> None:
    recipe = two_stages(procedure={"batch_size": 8, "epochs": 2 / 7, "warm_up": 0.0}, blend=0.5)
    third = Stage(name="third", procedure={"lr": 1e-12})
    run = make_run(derive(recipe, name="flow", stages=(*recipe.stages, third)))
    fit(run)
    teachers = run.folder / TEACHERS
    began, blended, ended = (
        load_generator(folder).state_dict()
        for folder in (teachers / "flow-start", teachers / "flow-middle", run.folder)
    )
    saved = checkpoint.load(teachers / "flow-middle", run.recipe.earlier_stages[-1])
    trained = saved["trainer"]["average"]
    assert any(not torch.equal(trained[name], began[name]) for name in began)
    for name, value in blended.items():
        torch.testing.assert_close(value, (trained[name] + began[name]) / 2)
        # What goes on from it goes on from what it ended as.
        torch.testing.assert_close(ended[name], value)


def test_a_folder_that_holds_a_run_is_not_overwritten(make_run: MakeRun) -> None:
    fit(make_run(small("guide-plain", 2)))
    with pytest.raises(RunError, match="already holds a run: add --resume"):
        fit(make_run(small("guide-plain", 2)))
    with pytest.raises(RunError, match="another recipe"):
        fit(make_run(small("guide-plain", 3), resume=True))
    again = make_run(small("guide-plain", 2), resume=True)
    assert again.votes is not None
    for votes in (None, {**again.votes, 10**6: np.ones(10, np.float32)}):
        with pytest.raises(RunError, match="another data"):
            fit(TrainingRun(**{**vars(again), "votes": votes}))


def test_a_folder_with_other_files_is_not_trained_in(make_run: MakeRun) -> None:
    run = make_run(small("judge", 2))
    run.folder.mkdir()
    (run.folder / "thesis.tex").touch()
    for resume in (False, True):
        with pytest.raises(WrongRunError, match=r"holds files but no run: no recipe\.json"):
            fit(replace(run, resume=resume))
    assert [p.name for p in run.folder.iterdir()] == ["thesis.tex"]


def test_votes_that_miss_the_test_faces_are_refused_before_training(make_run: MakeRun) -> None:
    run = make_run(small("judge", 2))
    assert run.votes is not None
    trained = {int(row) for row in run.splits["Training"].rows}
    partial = {row: votes for row, votes in run.votes.items() if row in trained}
    with pytest.raises(DataError, match="do not cover"):
        fit(TrainingRun(**{**vars(run), "votes": partial}))
    assert not run.folder.exists()


@pytest.mark.parametrize("name", ["judge", "encoder", "t26", "t4"])
def test_votes_that_leave_no_face_are_one_line(name: str, make_run: MakeRun) -> None:
    run = make_run(small(name, 2))
    few = {usage: faces.take(np.arange(7)) for usage, faces in run.splits.items()}
    rows = np.concatenate([faces.rows for faces in few.values()])
    no_face = {int(row): np.array([0] * 9 + [10], np.float32) for row in rows}
    with pytest.raises(DataError, match="no Training face is left to learn from: the votes"):
        fit(replace(run, splits=few, votes=no_face))


def test_the_time_that_teachers_take_counts(make_run: MakeRun) -> None:
    fit(make_run(small("flow-start", 2)))
    resumed = make_run(small("flow-start", 2), resume=True)
    (resumed.folder / checkpoint.FILE).unlink()
    limited = TrainingRun(**{**vars(resumed), "limits": AT_ONCE})
    result = fit(limited)
    assert (result.step, result.finished) == (0, False)
    assert fit(resumed).finished
