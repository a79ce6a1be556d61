"""Plan the runs that a recipe consists of, and train them one after the other."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from cctranslate.errors import DataError, WrongRunError
from cctranslate.folder_lock import hold
from cctranslate.recipes import registry
from cctranslate.recipes.kinds import AnyRecipe
from cctranslate.training import checkpoint, loop, run_folder
from cctranslate.training.checkpoint import TEACHERS
from cctranslate.training.data.fer2013 import Splits, fingerprint
from cctranslate.training.data.ferplus import Votes, digest, matched
from cctranslate.training.loop import Limits, RunResult
from cctranslate.training.networks.pretrained import face_recognizer
from cctranslate.training.pairs.selection import OutOfTimeError
from cctranslate.training.run_folder import RunManifest
from cctranslate.training.trainers.registry import TrainerInputs, make_trainer


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """One training: a recipe on data, in a folder."""

    recipe: AnyRecipe
    folder: Path
    splits: Splits
    votes: Votes | None
    device: torch.device
    seed: int = 0
    resume: bool = False
    stage: str | None = None
    """Train only this prerequisite of the recipe, and its prerequisites."""
    limits: Limits = field(default_factory=Limits)
    on_start: Callable[[str, int, int], None] = lambda name, step, steps: None
    """Called with the recipe's name, its finished steps and all its steps."""
    on_tick: Callable[[dict[str, Any]], None] = lambda line: None
    echo: Callable[[str], None] = lambda line: None
    """Called with lines for the user."""


def fit(run: TrainingRun) -> RunResult:
    """Train a recipe and its prerequisites, up to the run's stage and within its limits.

    Raises:
        BusyError: Another `fit` trains the run, or one that it builds on.
        WrongRunError: The folder already holds a run that is not resumed, or one on other data.
        DataError: The data has no training faces, or votes that do not fit.
        CheckpointError, DivergedError: See `loop.run`.
        BundleError: The face recognizer that the recipe needs is missing or altered.
    """
    _check_data(run)
    if run.recipe.needs_face_recognizer:
        face_recognizer.load()  # to fail now, not after hours of training
    with hold(run.folder, run.echo):
        _claim(run)
    started = time.monotonic()
    for number, planned in enumerate(plan_runs(run)):
        # The first run takes at least one step, however short the limit is.
        limits = _remaining(run.limits, time.monotonic() - started) if number else run.limits
        if limits.max_minutes is not None and limits.max_minutes <= 0:
            return RunResult(step=0, finished=False)
        # Not the whole folder: stages that do not build on each other may be trained at once.
        with hold(planned.folder, run.echo):
            if planned is not run:
                _claim(planned)
            result = _train(replace(planned, limits=limits), run.folder / TEACHERS)
        if not result.finished:
            return result if planned is run else RunResult(step=0, finished=False)
    return result


def plan_runs(run: TrainingRun) -> list[TrainingRun]:
    """Return the runs to train, in order: prerequisites, then the run itself.

    With a stage these are the stage's prerequisites and the stage.
    """
    prerequisites = registry.trained_before(run.recipe)
    named = {recipe.name: recipe for recipe in prerequisites}
    if run.stage is not None and run.stage != run.recipe.name:
        stage = named[run.stage]
        return [_part(run, recipe) for recipe in (*registry.trained_before(stage), stage)]
    return [*(_part(run, recipe) for recipe in prerequisites), run]


def _part(run: TrainingRun, recipe: AnyRecipe) -> TrainingRun:
    """Return the run of a prerequisite, which is always resumed."""
    return replace(run, recipe=recipe, folder=run.folder / TEACHERS / recipe.name, resume=True)


def _train(run: TrainingRun, prerequisites: Path) -> RunResult:
    """Train one planned run, and store its figures if its trainer has any."""
    started = time.monotonic()

    def remaining() -> Limits:
        return _remaining(run.limits, time.monotonic() - started)

    def is_over() -> bool:
        minutes = remaining().max_minutes
        return minutes is not None and minutes <= 0

    inputs = TrainerInputs(
        faces=run.splits["Training"],
        votes=run.votes,
        device=run.device,
        seed=run.seed,
        folder=run.folder,
        prerequisites=prerequisites,
    )
    trainer = make_trainer(run.recipe, inputs)
    result = loop.run(
        trainer,
        run.folder,
        seed=run.seed,
        limits=remaining(),  # what a trainer begins with may take minutes, such as landmarks
        on_start=run.on_start,
        on_tick=run.on_tick,
        resume=run.resume,
    )
    if not result.finished:
        return result
    try:
        figures = trainer.conclude(run.splits, run.votes, is_over)
    except OutOfTimeError:
        return RunResult(step=result.step, finished=False)
    if figures is not None:
        loop.save(trainer, run.folder, result.step)
        run_folder.write_json(run.folder / run_folder.MEASURED, figures)
    return result


def _check_data(run: TrainingRun) -> None:
    if "Training" not in run.splits:
        raise DataError("the data holds no Training rows: nothing else is trained on")
    if run.votes is not None:
        for usage in run.splits.keys() & {"Training", "PublicTest"}:
            matched(run.splits[usage], run.votes)


def _claim(run: TrainingRun) -> None:
    """Write the manifest of a new run, or check that of a run to resume."""
    manifest = RunManifest(
        recipe=run.recipe,
        seed=run.seed,
        data={
            "fingerprint": fingerprint(run.splits),
            "faces": {usage: len(faces) for usage, faces in run.splits.items()},
            "votes": None if run.votes is None else digest(run.votes),
        },
    )
    if not (run.folder / run_folder.MANIFEST).exists():
        if run.folder.is_dir() and any(not p.name.startswith(".") for p in run.folder.iterdir()):
            remedy = checkpoint.remedy(run.folder) if run.resume else "name another folder with -o"
            raise WrongRunError(
                f"{run.folder}: holds files but no run: no {run_folder.MANIFEST}: {remedy}"
            )
        run_folder.write_manifest(run.folder, manifest)
        return
    stored = run_folder.read_manifest(run.folder)
    if not run.resume:
        raise WrongRunError(
            f"{run.folder}: already holds a run: add --resume or name another with -o"
        )
    fields = ("recipe", "seed", "data")
    differing = [name for name in fields if getattr(stored, name) != getattr(manifest, name)]
    if differing:
        raise WrongRunError(
            f"{run.folder}: the run there has another {differing[0]}: resume it with the same, "
            "or name another folder with -o"
        )


def _remaining(limits: Limits, spent: float) -> Limits:
    """Return the limits minus the seconds that were spent."""
    if limits.max_minutes is None:
        return limits
    return replace(limits, max_minutes=limits.max_minutes - spent / 60)
