"""How many faces a second the default recipe's stages train on, and what their ticks cost.

    python -m tests.bench.speed.training                         some minutes
    python -m tests.bench.speed.training --rounds 1 student

Real trainers take real steps, on drawn faces and with networks as they start: neither changes the
time of a step. Eight steps have each costly term as often as a run has it. Every figure is measured
in each round, one after the other, and the median of the rounds is printed.

- `faces/s`: the faces of a batch by the seconds of a step, and how much quicker that is than in
  float32, where the device has bfloat16.
- `a tick`: seconds of a sheet and a checkpoint, and their part of a run with a tick after each 100
  steps; then with the ticks that `fit` makes.

Memory is the process's peak over all stages.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from cctranslate.emotions import NUM_CLASSES
from cctranslate.faces.alignment import TEMPLATE
from cctranslate.recipes import registry
from cctranslate.recipes.classifiers import ALL, ClassifierRecipe
from cctranslate.recipes.components import derive
from cctranslate.recipes.flow import FLOW
from cctranslate.recipes.gan import GanRecipe
from cctranslate.recipes.kinds import AnyRecipe
from cctranslate.recipes.student import MouthStudentRecipe, StudentRecipe
from cctranslate.recipes.teacher import MOUTH_TEACHER, MouthTeacherRecipe, TeacherRecipe
from cctranslate.training import checkpoint, device, loop
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.loop import Limits, Trainer
from cctranslate.training.losses.teachers import TeacherNetworks
from cctranslate.training.networks.classifiers import Classifier
from cctranslate.training.networks.denoiser import Denoiser
from cctranslate.training.networks.pretrained import face_recognizer
from cctranslate.training.pairs.store import Draws
from cctranslate.training.trainers.classifier import ClassifierTrainer
from cctranslate.training.trainers.flow_matching import FlowMatchingTrainer
from cctranslate.training.trainers.gan import GanTrainer
from cctranslate.training.trainers.mouths.student import MouthStudentTrainer
from cctranslate.training.trainers.mouths.teacher import MouthTeacherTrainer
from cctranslate.training.trainers.student import StudentTrainer
from tests.support import pictures

COUNT = 448
STEPS = 8
"""Every loss term is computed at its usual frequency within this many steps."""
EVERY = 100
"""Steps between ticks that go by steps alone."""


@dataclass(frozen=True)
class Timing:
    """Seconds of a step and of a tick's parts, and the checkpoint's size."""

    step: float
    sheet: float
    save: float
    megabytes: float


def stages() -> Iterator[tuple[str, AnyRecipe, int]]:
    """Return a name, the recipe and its batch size for the kinds of stage that `fit` trains."""
    guide = next(recipe for recipe in ALL if recipe.name == "guide-sharp")
    yield guide.name, guide, guide.batch_size
    yield FLOW.name, FLOW, FLOW.final_recipe.procedure.batch_size
    for recipe in registry.OUR_TRANSLATOR:
        if isinstance(recipe, TeacherRecipe | StudentRecipe | MouthStudentRecipe):
            yield recipe.name, recipe, recipe.batch_size


def make(recipe: AnyRecipe, on: torch.device) -> Trainer:
    """Return a recipe's trainer on drawn faces, with networks in place of those trained before."""
    faces = pictures.drawn_faces([i % NUM_CLASSES for i in range(COUNT)])
    face_landmarks = Landmarks(
        points=np.tile(TEMPLATE.astype(np.float32), (COUNT, 1, 1)),
        has_landmarks=np.ones(COUNT, bool),
    )
    if isinstance(recipe, ClassifierRecipe):
        return ClassifierTrainer(recipe, faces=faces, votes=None, device=on, seed=0)
    if isinstance(recipe, TeacherRecipe):
        embeddings = np.random.default_rng(0).normal(0, 0.09, (COUNT, 128)).astype(np.float32)
        is_of_mouths = isinstance(recipe, MouthTeacherRecipe)
        trainer = MouthTeacherTrainer if is_of_mouths else FlowMatchingTrainer
        return trainer(
            recipe,
            faces=faces,
            votes=None,
            face_landmarks=face_landmarks,
            embeddings=embeddings,
            device=on,
            seed=0,
        )
    if isinstance(recipe, MouthStudentRecipe):
        return MouthStudentTrainer(
            recipe,
            faces=faces,
            votes=None,
            face_landmarks=face_landmarks,
            teacher=Denoiser(MOUTH_TEACHER),
            device=on,
            seed=0,
        )
    if isinstance(recipe, StudentRecipe):
        drawn = Draws(
            images=faces.images,
            sources=faces.rows,
            targets=(faces.rows + 1) % NUM_CLASSES,
            spec_indices=np.zeros(COUNT, np.int64),
            target_probabilities=np.ones(COUNT, np.float32),
            cosines=np.ones(COUNT, np.float32),
        )
        networks = teachers(recipe.guides, ())
        return StudentTrainer(
            recipe,
            faces=faces,
            votes=None,
            face_landmarks=face_landmarks,
            draws=drawn,
            networks=networks,
            device=on,
            seed=0,
        )
    assert isinstance(recipe, GanRecipe)
    networks = teachers(recipe.final_recipe.guides, recipe.final_recipe.encoders)
    return GanTrainer(recipe, faces=faces, votes=None, networks=networks, device=on, seed=0)


def teachers(guides: tuple[str, ...], encoders: tuple[str, ...]) -> TeacherNetworks:
    """Return classifiers of these recipes, and the face recognizer."""
    return TeacherNetworks(
        guides=tuple(map(classifier, guides)),
        encoders=tuple(map(classifier, encoders)),
        face_recognizer=face_recognizer.load(),
    )


def classifier(name: str) -> Classifier:
    """Return a recipe's classifier as its training begins."""
    recipe = registry.find(name)
    assert isinstance(recipe, ClassifierRecipe)
    return Classifier(derive(recipe)).eval()


def timed_steps(trainer: Trainer, first: int, on: torch.device) -> float:
    """Return the seconds of a step, as the mean of `STEPS` from the step `first`."""
    synchronize(on)
    started = time.perf_counter()
    for step in range(first, first + STEPS):
        torch.manual_seed(step)
        trainer.step(step)
    synchronize(on)
    return (time.perf_counter() - started) / STEPS


def synchronize(on: torch.device) -> None:
    """Wait for the device."""
    if on.type == "cuda":
        torch.cuda.synchronize(on)


def measure(recipe: AnyRecipe, on: torch.device, rounds: int) -> tuple[Timing, float | None]:
    """Return a stage's timing, and the seconds of a step in float32 if that is not the same."""
    trainer = make(recipe, on)
    half = device.has_bfloat16(on)
    first = trainer.steps // 2 // STEPS * STEPS  # past warming up, where terms have all come in
    trainer.step(first)
    steps, full, sheets, saves = [], [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(rounds):
            steps.append(timed_steps(trainer, first, on))
            if half:
                with mock.patch.object(device, "has_bfloat16", return_value=False):
                    full.append(timed_steps(trainer, first, on))
            started = time.perf_counter()
            trainer.sheet()
            drawn = time.perf_counter()
            loop.save(trainer, folder, first)
            sheets.append(drawn - started)
            saves.append(time.perf_counter() - drawn)
        size = (folder / checkpoint.FILE).stat().st_size / 1e6
    middle = statistics.median
    timing = Timing(step=middle(steps), sheet=middle(sheets), save=middle(saves), megabytes=size)
    return timing, middle(full) if full else None


def share(tick: float, between: float) -> float:
    """Return the fraction of a run that ticks take, with `between` seconds from one to the next."""
    return tick / (between + tick)


def report(name: str, batch: int, timing: Timing, full: float | None) -> None:
    """Print a stage's figures."""
    print(f"{name}: {batch / timing.step:,.1f} faces/s, {timing.step:.3f} s a step of {batch}")
    if full is not None:
        print(f"  bfloat16 {full / timing.step:.2f} times as quick as float32")
    tick, limits = timing.sheet + timing.save, Limits()
    seconds = min(max(EVERY * timing.step, limits.tick_seconds), limits.most_seconds)
    print(
        f"  a tick {tick:.2f} s (sheet {timing.sheet:.2f}, checkpoint {timing.save:.2f} of "
        f"{timing.megabytes:.0f} MB): {share(tick, EVERY * timing.step):.1%} of a run by steps "
        f"alone, {share(tick, seconds):.1%} as `fit` does",
        flush=True,
    )


def main() -> None:
    """Print the figures of each stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = {name: (recipe, batch) for name, recipe, batch in stages()}
    parser.add_argument("stage", nargs="*", help=f"of {', '.join(known)}; all by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="auto")
    asked = parser.parse_args()
    unknown = [name for name in asked.stage if name not in known]
    if unknown:
        sys.exit(f"no stage {unknown[0]}: choose from {', '.join(known)}")
    on = device.choose(asked.device)
    print(f"{on}, {torch.get_num_threads()} threads", flush=True)
    for name in asked.stage or known:
        recipe, batch = known[name]
        report(name, batch, *measure(recipe, on, asked.rounds))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory: {peak:,.0f} MiB")


if __name__ == "__main__":
    main()
