"""A whole `fit`: what a recipe builds on first, then its own training, then its figures."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cctranslate.errors import DataError, RunError
from cctranslate.recipes import registry
from cctranslate.recipes.spec import AnyRecipe, ClassifierRecipe, Recipe
from cctranslate.training import checkpoint, loop, run_folder
from cctranslate.training.data.fer2013 import Splits, fingerprint, without_copies
from cctranslate.training.data.ferplus import Votes, digest, matched
from cctranslate.training.loop import Limits, RunResult
from cctranslate.training.losses.teachers import TeacherNetworks
from cctranslate.training.networks import face_recognizer
from cctranslate.training.networks.classifiers import Classifier, predict_logits
from cctranslate.training.networks.face_recognizer import FaceRecognizer
from cctranslate.training.networks.generator import Generator
from cctranslate.training.networks.registry import build_generator
from cctranslate.training.run_folder import RunManifest
from cctranslate.training.trainers.classifier import ClassifierTrainer, figures
from cctranslate.training.trainers.gan import GanTrainer

TEACHERS = "teachers"
"""Where in a run's folder those lie that it builds on: guides, encoders, the one it starts from."""


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """What `fit` was asked to do."""

    recipe: AnyRecipe
    folder: Path
    splits: Splits
    votes: Votes | None
    device: torch.device
    seed: int = 0
    resume: bool = False
    teachers: Path | None = None
    """Where the runs lie that it builds on; in a folder of its own if it is not said."""
    limits: Limits = field(default_factory=Limits)
    on_start: Callable[[str, int, int], None] = lambda name, step, steps: None
    on_tick: Callable[[dict[str, Any]], None] = lambda line: None


def fit(job: TrainingRun) -> RunResult:
    """Train what the job asks for; what its recipe builds on is trained first, in its folder.

    Raises:
        RunError: the folder already holds a run that is not resumed, or one on other data.
        DataError: the data has no training faces, or votes that do not fit.
        CheckpointError, DivergedError: see `loop.run`.
        BundleError: the face recognizer that the recipe needs is missing or altered.
    """
    if "Training" not in job.splits:
        raise DataError("the data holds no Training rows: nothing else is trained on")
    if job.votes is not None:
        for usage in job.splits.keys() & {"Training", "PublicTest"}:
            matched(job.splits[usage], job.votes)
    # Before the hours of what is trained first: a harmed install is told at once.
    asked = isinstance(job.recipe, Recipe) and job.recipe.weights.likeness > 0
    known = face_recognizer.load() if asked else None
    _claim(job)
    started = time.monotonic()
    for name in _before(job.recipe):
        if not fit(_teacher_job(job, name, time.monotonic() - started)).finished:
            return RunResult(step=0, finished=False)
    limits = _remaining(job.limits, time.monotonic() - started)
    if limits.max_minutes is not None and limits.max_minutes <= 0:
        return RunResult(step=_steps_done(job), finished=False)
    trainer = _trainer(job, known)
    job.on_start(job.recipe.name, _steps_done(job), trainer.steps)
    result = loop.run(
        trainer,
        job.folder,
        seed=job.seed,
        limits=limits,
        on_tick=job.on_tick,
        resume=job.resume,
    )
    judging = isinstance(job.recipe, ClassifierRecipe) and job.recipe.objective == "expression"
    if judging and isinstance(trainer, ClassifierTrainer) and result.finished:
        trainer.calibrate(job.splits, job.votes)
        loop.save(trainer, job.folder, result.step)
        _measure_classifier(job)
    return result


def load_classifier(folder: Path) -> Classifier:
    """The averaged, calibrated classifier of a run, in evaluation mode.

    Raises:
        RunError, CheckpointError: no such run, or one of a translator.
    """
    recipe = run_folder.read_manifest(folder).recipe
    if not isinstance(recipe, ClassifierRecipe):
        raise RunError(f"{folder}: a run of {recipe.name}, which is no classifier")
    network = Classifier(recipe)
    state = checkpoint.load(folder, recipe)["trainer"]
    with checkpoint.fitting(folder):
        network.load_state_dict(state["average"])
    return network.eval()


def load_generator(folder: Path) -> Generator:
    """The generator that a run ends as, in evaluation mode.

    Raises:
        RunError, CheckpointError: no such run, or one of a classifier.
    """
    recipe = run_folder.read_manifest(folder).recipe
    if not isinstance(recipe, Recipe):
        raise RunError(f"{folder}: a run of {recipe.name}, which is no translator")
    network = build_generator(recipe.generator)
    state = checkpoint.load(folder, recipe)["trainer"]
    with checkpoint.fitting(folder):
        network.load_state_dict(checkpoint.resulting(state, recipe.procedure.kept))
    return network.eval()


def _claim(job: TrainingRun) -> None:
    facts = RunManifest(
        recipe=job.recipe,
        seed=job.seed,
        data={
            "fingerprint": fingerprint(job.splits),
            "faces": {usage: len(faces) for usage, faces in job.splits.items()},
            "votes": None if job.votes is None else digest(job.votes),
        },
    )
    if not (job.folder / run_folder.MANIFEST).exists():
        if not job.resume and job.folder.is_dir() and any(job.folder.iterdir()):
            raise RunError(f"{job.folder}: holds files but no run: name another folder with -o")
        run_folder.write_manifest(job.folder, facts)
        return
    there = run_folder.read_manifest(job.folder)
    if not job.resume:
        raise RunError(f"{job.folder}: already holds a run: add --resume or name another with -o")
    if there != facts:
        what = next(n for n in ("recipe", "seed", "data") if getattr(there, n) != getattr(facts, n))
        raise RunError(
            f"{job.folder}: the run there has another {what}: resume it with its own, "
            "or name another folder with -o"
        )


def _before(recipe: AnyRecipe) -> tuple[str, ...]:
    if isinstance(recipe, ClassifierRecipe):
        return ()
    return recipe.teachers + ((recipe.start,) if recipe.start else ())


def _teachers(job: TrainingRun) -> Path:
    return job.teachers or job.folder / TEACHERS


def _teacher_job(job: TrainingRun, name: str, spent: float) -> TrainingRun:
    return replace(
        job,
        recipe=registry.find(name),
        folder=_teachers(job) / name,
        teachers=_teachers(job),
        resume=True,
        limits=_remaining(job.limits, spent),
    )


def _remaining(limits: Limits, spent: float) -> Limits:
    if limits.max_minutes is None:
        return limits
    return replace(limits, max_minutes=limits.max_minutes - spent / 60)


def _trainer(job: TrainingRun, known: FaceRecognizer | None) -> GanTrainer | ClassifierTrainer:
    faces = job.splits["Training"]
    if isinstance(job.recipe, ClassifierRecipe):
        return ClassifierTrainer(job.recipe, faces, job.votes, job.device, job.seed)
    folder, start = _teachers(job), job.recipe.start
    frozen = TeacherNetworks(
        guides=tuple(load_classifier(folder / name) for name in job.recipe.guides),
        encoders=tuple(load_classifier(folder / name) for name in job.recipe.encoders),
        face_recognizer=known,
    )
    trainer = GanTrainer(job.recipe, faces, job.votes, frozen, job.device, job.seed)
    if start:
        before = registry.find(start)
        assert isinstance(before, Recipe)
        ended = checkpoint.load(folder / start, before)["trainer"]
        with checkpoint.fitting(folder / start):
            trainer.begin(checkpoint.resulting(ended, before.procedure.kept), ended["d"])
    return trainer


def _steps_done(job: TrainingRun) -> int:
    there = job.resume and (job.folder / checkpoint.FILE).exists()
    return int(checkpoint.load(job.folder, job.recipe)["step"]) if there else 0


def _measure_classifier(job: TrainingRun) -> None:
    if "PublicTest" not in job.splits:
        return
    faces = without_copies(job.splits["PublicTest"], job.splits["Training"])
    if not len(faces):
        return
    logits = predict_logits(load_classifier(job.folder).to(job.device), faces.images, job.device)
    measured = figures(np.asarray(logits.softmax(1)), faces, job.votes)
    run_folder.write_json(job.folder / run_folder.MEASURED, {"judge": measured})
