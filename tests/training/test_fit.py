"""Whole trainings on drawn faces: finite, repeatable, resumable after a kill."""

import json
import math
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cctranslate import bundle
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import (
    BundleError,
    CheckpointError,
    DataError,
    DeviceError,
    DivergedError,
    RunError,
)
from cctranslate.recipes.pairs import PairsRecipe
from cctranslate.recipes.registry import RECIPES, find, override
from cctranslate.recipes.spec import AnyRecipe, ClassifierRecipe, Recipe, Stage, derive
from cctranslate.recipes.teacher import TeacherRecipe
from cctranslate.training import checkpoint
from cctranslate.training.data import fer2013
from cctranslate.training.data.batches import Batch, Batches
from cctranslate.training.data.ferplus import load_votes
from cctranslate.training.device import choose
from cctranslate.training.fit import TEACHERS, TrainingRun, fit, plan_runs
from cctranslate.training.loop import Limits
from cctranslate.training.losses import teachers
from cctranslate.training.networks.classifiers import Classifier
from cctranslate.training.run_folder import (
    latest_folder,
    load_classifier,
    load_generator,
    next_folder,
    read_manifest,
)
from tests.support import pictures
from tests.support.backbone import needs_backbone
from tests.support.cli import wait_until

MakeRun = Callable[..., TrainingRun]
AT_ONCE = Limits(tick_steps=2, tick_seconds=0, max_minutes=1e-6)
BACKED = ("t6-code", "t7", "t9", "c2")
"""Recipes of ResNet50."""
RUNNABLE = [pytest.param(n, marks=needs_backbone if n in BACKED else ()) for n in RECIPES]


@pytest.fixture(autouse=True)
def quick_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train what a recipe builds on for two steps of small networks: in earnest it takes hours."""
    for name, known in RECIPES.items():
        if isinstance(known, Recipe) and known.stages:
            short = {"batch_size": 8, "epochs": 0.3}
            stages = (replace(s, procedure={**s.procedure, **short}) for s in known.stages)
            quick: AnyRecipe = derive(known, stages=tuple(stages))
        elif isinstance(known, TeacherRecipe):
            small = {"widths": (8, 16, 16), "embedding": 32}
            quick = derive(known, batch_size=8, epochs=0.3, **small)
        elif isinstance(known, PairsRecipe):
            draws = tuple(replace(way, steps=1) for way in known.draws)
            quick = derive(known, draws=draws, target_chance=0, cosine=-1, critic_epochs=0.5)
        elif isinstance(known, ClassifierRecipe) and name.startswith(("guide", "encoder")):
            quick = derive(known, batch_size=8, epochs=0.3, widths=(8, 8, 8))
        else:
            continue
        monkeypatch.setitem(RECIPES, name, quick)


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    splits = fer2013.load(pictures.write_csv(tmp_path / "fer2013.csv"))
    votes = load_votes(pictures.write_votes(tmp_path / "ferplus.csv"))

    def make(recipe: AnyRecipe, folder: str = "run", **changes: Any) -> TrainingRun:
        return TrainingRun(
            recipe=recipe,
            folder=tmp_path / folder,
            splits=splits,
            votes=votes,
            device=choose("cpu"),
            limits=Limits(tick_steps=2, tick_seconds=0),
            **changes,
        )

    return make


def small(name: str, steps: int) -> AnyRecipe:
    """A recipe cut to `steps` steps of 8 faces on the drawn data: 7 steps an epoch, 2 of t4."""
    backbone = "random" if name in BACKED else None
    epochs = steps / (2 if name == "t4" else 7)
    return override(find(name), epochs=epochs, batch_size=8, backbone=backbone)


def start(steps: int) -> Recipe:
    """Flow's first stage as a recipe without stages, cut to `steps` steps."""
    flow = small("flow-start", steps)
    assert isinstance(flow, Recipe)
    return derive(flow.final, name="flow-start")


def log(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


@pytest.mark.parametrize("name", RUNNABLE)
def test_every_recipe_takes_real_steps(name: str, make_run: MakeRun) -> None:
    run = make_run(small(name, 2))
    result = fit(run)
    assert result.finished
    lines = log(run.folder)
    assert lines[-1]["step"] == 2
    assert all(math.isfinite(value) for line in lines for value in line.values())
    assert read_manifest(run.folder).recipe == run.recipe


def test_a_tick_averages_each_term_over_the_steps_that_had_it(make_run: MakeRun) -> None:
    """t26's G steps once in five: its terms must not be divided by all steps."""
    fit(make_run(small("t26", 1), "one"))
    run = make_run(small("t26", 4), "four")
    fit(TrainingRun(**{**vars(run), "limits": Limits(tick_steps=4, tick_seconds=0)}))
    (one,), (four,) = log(run.folder.parent / "one"), log(run.folder)
    assert four["reconstruction"] == pytest.approx(one["reconstruction"], abs=1e-5)


def test_a_tick_waits_for_its_steps_and_its_seconds(make_run: MakeRun) -> None:
    recipe = small("guide-plain", 6)
    cases = {
        "by steps": (Limits(tick_steps=4, tick_seconds=0), [4, 6]),
        "by seconds": (Limits(tick_steps=1, tick_seconds=3600), [6]),
    }
    for folder, (limits, steps) in cases.items():
        run = make_run(recipe, folder)
        fit(TrainingRun(**{**vars(run), "limits": limits}))
        assert [line["step"] for line in log(run.folder)] == steps


def test_the_same_seed_gives_the_same_losses_and_another_does_not(make_run: MakeRun) -> None:
    recipe = small("guide-plain", 4)
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        fit(make_run(recipe, folder, seed=seed))
    a, b, c = (log(make_run(recipe, folder).folder) for folder in "abc")
    assert a == b
    assert a != c


CHILD = """
import sys
from pathlib import Path
from cctranslate.recipes.registry import find, override
from cctranslate.training.data import fer2013
from cctranslate.training.device import choose
from cctranslate.training.fit import TrainingRun, fit
from cctranslate.training.loop import Limits
recipe = override(find(sys.argv[3]), epochs=6 / 15, batch_size=4)
fit(TrainingRun(recipe=recipe, folder=Path(sys.argv[2]), splits=fer2013.load(Path(sys.argv[1])),
        votes=None, device=choose("cpu"), limits=Limits(tick_steps=2, tick_seconds=0), resume=True))
"""


@pytest.mark.parametrize("name", ["t26", "judge"])
def test_killed_mid_epoch_and_resumed_equals_never_stopped(name: str, tmp_path: Path) -> None:
    data = pictures.write_csv(tmp_path / "fer2013.csv")

    def start(folder: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", CHILD, str(data), str(tmp_path / folder), name]
        return subprocess.Popen(command)

    assert start("whole").wait() == 0
    killed = start("killed")
    steps = tmp_path / "killed" / "log.jsonl"
    wait_until(killed, lambda: steps.exists() and b"\n" in steps.read_bytes())
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert start("killed").wait() == 0
    assert log(tmp_path / "killed") == log(tmp_path / "whole")
    whole, again = (
        torch.load(tmp_path / f / "checkpoint.pt", weights_only=True)["trainer"]["average"]
        for f in ("whole", "killed")
    )
    assert all(torch.equal(whole[key], again[key]) for key in whole)


def test_a_harmed_install_is_told_before_anything_is_trained(
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


def two_stages(**last: Any) -> Recipe:
    """Flow's first two stages; the second with other settings."""
    flow = find("flow-middle")
    assert isinstance(flow, Recipe)
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
    saved = checkpoint.load(teachers / "flow-middle", run.recipe.earlier[-1])
    trained = saved["trainer"]["average"]
    assert any(not torch.equal(trained[name], began[name]) for name in began)
    for name, value in blended.items():
        torch.testing.assert_close(value, (trained[name] + began[name]) / 2)
        # What goes on from it goes on from what it ended as.
        torch.testing.assert_close(ended[name], value)


def test_g_follows_its_guides_before_d_comes_in_and_costly_terms_take_turns(
    make_run: MakeRun,
) -> None:
    flow = start(8)
    recipe = derive(flow, procedure={"warm_up": 0.5, "lazy": 2})
    run = make_run(recipe)
    fit(TrainingRun(**{**vars(run), "limits": Limits(tick_steps=1, tick_seconds=0)}))
    lines = log(run.folder)
    assert len(lines) == 8
    late = {"d_adversarial", "adversarial", "cycle", "identity"}
    assert all(late.isdisjoint(line) and "guide" in line for line in lines[:4])
    assert all({"d_adversarial", "adversarial", "guide"} <= line.keys() for line in lines[4:])
    assert [late & line.keys() & {"cycle", "identity"} for line in lines[4:]] == 2 * [
        {"cycle"},
        {"identity"},
    ]


@pytest.mark.parametrize("shift", [0, 1])
def test_guides_say_nothing_of_faces_that_keep_their_own_expression(
    shift: int, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = Batches.draw

    def draw_shifted(batches: Batches, step: int) -> Batch:
        batch = draw(batches, step)
        return replace(batch, targets=(batch.classes + shift) % 7)

    monkeypatch.setattr(Batches, "draw", draw_shifted)
    flow = start(2)
    run = make_run(derive(flow, procedure={"warm_up": 1.0}))
    fit(run)
    line = log(run.folder)[-1]
    assert (line["guide"] > 0, line["self_translation"] > 0) == (shift > 0, shift == 0)


def test_a_paired_d_compares_each_result_with_its_own_source(make_run: MakeRun) -> None:
    flow = start(1)
    run = make_run(flow)

    def drawn(paired: bool) -> Batch:
        procedure = derive(flow, procedure={"paired": paired}).procedure
        faces = run.splits["Training"]
        batches = Batches(procedure, faces, run.votes, torch.device("cpu"), seed=0)
        torch.manual_seed(0)
        return batches.draw(0)

    beside, other = drawn(True), drawn(False)
    torch.testing.assert_close(beside.real, beside.x)
    torch.testing.assert_close(beside.real_classes, beside.classes)
    assert not torch.equal(other.real, other.x)
    torch.testing.assert_close(other.real_classes, other.targets)


def test_what_is_read_upper_face_targets_moves_nothing_below_them(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    call = Classifier.forward

    def watched(guide: Classifier, x: torch.Tensor) -> torch.Tensor:
        if not guide.training and x.grad_fn is not None:  # what G made
            seen.append(x.detach())
        return call(guide, x)

    monkeypatch.setattr(teachers, "HIDDEN", 1.0)
    monkeypatch.setattr(Classifier, "forward", watched)
    flow = start(1)
    for upper_face_targets in (EMOTIONS, ()):
        seen.clear()
        recipe = derive(flow, procedure={"warm_up": 1.0, "upper_face_targets": upper_face_targets})
        fit(make_run(recipe, folder=f"read-by-{len(upper_face_targets)}"))
        assert seen
        hidden = [not x[:, :, 30:].any() and bool(x[:, :, :20].any()) for x in seen]
        assert all(hidden) if upper_face_targets else not any(hidden)


def test_a_sheet_shows_each_face_in_every_expression(make_run: MakeRun) -> None:
    run = make_run(small("t26", 2))
    fit(run)
    with Image.open(run.folder / "samples" / "0000002.png") as picture:
        assert picture.size == (8 * 48 * 2, 14 * 48 * 2)


def test_a_time_limit_ends_with_a_checkpoint(make_run: MakeRun) -> None:
    recipe = small("judge", 50)
    cut = make_run(recipe)
    limited = TrainingRun(**{**vars(cut), "limits": AT_ONCE})
    result = fit(limited)
    assert (result.step, result.finished) == (1, False)
    assert torch.load(cut.folder / "checkpoint.pt", weights_only=True)["step"] == 1


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


def test_training_never_sees_a_test_row(make_run: MakeRun) -> None:
    from cctranslate.training.trainers.classifier import ClassifierTrainer

    run = make_run(small("judge", 2))
    training = run.splits["Training"]
    trainer = ClassifierTrainer(find("judge"), training, None, run.device, 0)  # type: ignore[arg-type]
    assert len(trainer.labels) == len(training)
    test_only = {k: v for k, v in run.splits.items() if k != "Training"}
    with pytest.raises(DataError, match="no Training rows"):
        fit(TrainingRun(**{**vars(run), "splits": test_only}))


def test_the_judge_is_calibrated_on_public_test(make_run: MakeRun) -> None:
    run = make_run(small("judge", 30))
    fit(run)
    judge = load_classifier(run.folder)
    assert judge.temperature.item() != 1.0
    measured = json.loads((run.folder / "measured.json").read_text())["judge"]
    assert measured["fer2013"]["faces"] == 21
    assert np.array(measured["fer2013"]["confusion"]).sum() == 21


@pytest.mark.parametrize("lost", ["checkpoint", "half a line"])
def test_a_log_that_a_kill_left_ahead_is_cut_on_resume(lost: str, make_run: MakeRun) -> None:
    """The log is written before the checkpoint, and a kill may come within a line of it."""
    recipe = small("guide-plain", 4)
    whole = make_run(recipe, "whole")
    fit(whole)
    cut = make_run(recipe, "cut")
    fit(cut)
    if lost == "checkpoint":
        (cut.folder / checkpoint.FILE).unlink()
    with (cut.folder / "log.jsonl").open("a") as file:
        file.write('{"step": 6, "epo')
    fit(make_run(recipe, "cut", resume=True))
    assert log(cut.folder) == log(whole.folder)


def test_a_loss_that_is_no_number_ends_the_run_and_is_not_saved(make_run: MakeRun) -> None:
    run = make_run(override(small("guide-plain", 20), lr=1e30))
    with pytest.raises(DivergedError, match=r"run: the loss loss is no longer finite by step"):
        fit(run)
    assert [path.name for path in run.folder.iterdir()] == ["recipe.json"]


LIMITED = """
import resource, signal, sys
from pathlib import Path
import torch
from cctranslate.errors import CheckpointError
from cctranslate.training import checkpoint
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    checkpoint.save(Path(sys.argv[1]), {"weights": torch.ones(100_000)})
except CheckpointError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a file's size is limited by POSIX only")
def test_a_checkpoint_that_does_not_fit_the_disk_leaves_the_one_before(tmp_path: Path) -> None:
    (tmp_path / checkpoint.FILE).write_bytes(b"the one before")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert "checkpoint.pt: cannot be written" in done.stdout, done.stderr
    assert done.stdout.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == [checkpoint.FILE]
    assert (tmp_path / checkpoint.FILE).read_bytes() == b"the one before"


def test_a_checkpoint_of_something_else_is_refused(make_run: MakeRun) -> None:
    run = make_run(small("guide-plain", 2))
    fit(run)
    file = run.folder / checkpoint.FILE
    other = make_run(small("guide-smooth", 2), "other")
    fit(other)
    contents = {
        "of another recipe": (other.folder / checkpoint.FILE).read_bytes(),
        "not a readable checkpoint": b"no checkpoint",
    }
    for reason, content in contents.items():
        file.write_bytes(content)
        with pytest.raises(CheckpointError, match=rf"checkpoint\.pt: {reason}") as caught:
            fit(make_run(run.recipe, resume=True))
        assert "\n" not in str(caught.value)
    saved = torch.load(other.folder / checkpoint.FILE, weights_only=True)
    torch.save({**saved, "recipe": {**saved["recipe"], "newer": 1}}, file)
    with pytest.raises(CheckpointError, match="of another recipe"):
        load_classifier(run.folder)
    torch.save({"weights": torch.ones(1)}, file)
    with pytest.raises(CheckpointError, match="not a checkpoint that `fit` wrote"):
        load_classifier(run.folder)
    file.unlink()
    with pytest.raises(CheckpointError, match="no checkpoint yet: go on with `fit --resume`"):
        load_classifier(run.folder)


def test_a_checkpoint_of_other_networks_is_refused(make_run: MakeRun) -> None:
    run = make_run(small("guide-plain", 2))
    fit(run)
    file = run.folder / checkpoint.FILE
    saved = torch.load(file, weights_only=True)
    network = dict(saved["trainer"]["network"])
    name, weight = next((k, v) for k, v in network.items() if v.ndim == 4)
    halved = {**saved["trainer"], "network": {**network, name: weight[: len(weight) // 2]}}
    for trainer in ({}, halved):
        torch.save({**saved, "trainer": trainer}, file)
        with pytest.raises(CheckpointError, match=r"checkpoint\.pt: does not fit") as caught:
            fit(make_run(run.recipe, resume=True))
        assert "\n" not in str(caught.value)
    torch.save({**saved, "trainer": {**halved, "average": halved["network"]}}, file)
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt: does not fit"):
        load_classifier(run.folder)


def test_a_folder_with_other_files_is_not_trained_in(make_run: MakeRun) -> None:
    run = make_run(small("judge", 2))
    run.folder.mkdir()
    (run.folder / "thesis.tex").touch()
    with pytest.raises(RunError, match="holds files but no run"):
        fit(run)
    assert [p.name for p in run.folder.iterdir()] == ["thesis.tex"]


def test_votes_that_miss_the_test_faces_are_refused_before_training(make_run: MakeRun) -> None:
    run = make_run(small("judge", 2))
    assert run.votes is not None
    trained = {int(row) for row in run.splits["Training"].rows}
    partial = {row: votes for row, votes in run.votes.items() if row in trained}
    with pytest.raises(DataError, match="do not cover"):
        fit(TrainingRun(**{**vars(run), "votes": partial}))
    assert not run.folder.exists()


def test_public_test_faces_that_all_stand_in_training_calibrate_nothing(make_run: MakeRun) -> None:
    run = make_run(small("judge", 2))
    copies = run.splits["Training"].take(np.arange(10))
    fit(TrainingRun(**{**vars(run), "splits": {**run.splits, "PublicTest": copies}}))
    assert load_classifier(run.folder).temperature.item() == 1
    assert not (run.folder / "measured.json").exists()


def test_the_time_that_teachers_take_counts(make_run: MakeRun) -> None:
    fit(make_run(small("flow-start", 2)))
    resumed = make_run(small("flow-start", 2), resume=True)
    (resumed.folder / checkpoint.FILE).unlink()
    limited = TrainingRun(**{**vars(resumed), "limits": AT_ONCE})
    result = fit(limited)
    assert (result.step, result.finished) == (0, False)
    assert fit(resumed).finished


def test_run_folders_are_numbered_past_999(tmp_path: Path) -> None:
    for name in ("999-t26", "1000-t26", "1001-flow", "notes"):
        (tmp_path / name).mkdir()
    assert latest_folder(tmp_path, "t26").name == "1000-t26"
    assert next_folder(tmp_path, "t26").name == "1002-t26"


@pytest.mark.parametrize("name", ["gpu", "mps", "cuda:", "cuda:99", "CPU"])
def test_a_device_that_cannot_be_had_is_refused(name: str) -> None:
    with pytest.raises(DeviceError, match=f"--device {name}: "):
        choose(name)
