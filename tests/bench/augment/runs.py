"""The queue of runs: what each needs, and a line of JSON for each that has ended."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cctranslate.emotions import NUM_CLASSES
from cctranslate.files.writing import AppendOnlyFile
from cctranslate.pixels import Floats
from cctranslate.training.data.fer2013 import Faces, Splits
from cctranslate.training.data.ferplus import Votes, soft_labels
from cctranslate.training.networks.classifiers import predict_logits
from tests.bench.augment.arms import ARMS, Arm
from tests.bench.augment.batches import TEACHER, Pool, wanted
from tests.bench.augment.faces import draw, for_test
from tests.bench.augment.results import Results
from tests.bench.augment.scores import accuracy, confusion, macro_f1
from tests.bench.augment.students import Student
from tests.bench.augment.training import train

RUNS = "runs.jsonl"
SIZES: dict[str, int | None] = {"500": 500, "2000": 2000, "8000": 8000, "all": None}
STEPS = {"500": 300, "2000": 500, "8000": 1500, "all": 2000}
"""Steps of 64 on small students: 38, 16, 12 and 4 passes over the faces, what a core can do.
`--steps` gives larger ones the time that they need."""
MOST_SOURCES = 8000
"""The most faces that results are made from, drawn at random. Results of all faces take one core
half an hour."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is the same for all runs of a call."""

    steps: int | None
    width: int
    device: torch.device
    weights: Path | None
    small: Path | None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A run to do."""

    size: str
    student: Student
    arm: Arm
    seed: int
    steps: int
    width: int

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells the run's line from others."""
        return (self.size, self.student, self.arm.name, self.seed, self.steps, self.width)


def jobs(
    sizes: Iterable[str],
    students: Iterable[Student],
    arms: Iterable[Arm],
    seeds: range,
    settings: Settings,
) -> list[Job]:
    """Return the runs in order: small sizes first, then seed by seed, so that pairs are whole."""
    found = list(arms)
    return [
        Job(
            size=size,
            student=student,
            arm=arm,
            seed=seed,
            steps=settings.steps or STEPS[size],
            width=settings.width,
        )
        for size in sizes
        for student in students
        for seed in seeds
        for arm in found
    ]


def read(out: Path) -> list[dict[str, Any]]:
    """Return the lines of runs that have ended; one that a kill cut short is none."""
    path = out / RUNS
    if not path.exists():
        return []
    whole = path.read_bytes().rpartition(b"\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


def key_of(line: dict[str, Any]) -> tuple[Any, ...]:
    """Return what `Job.key` is for a line."""
    return tuple(line[name] for name in ("size", "student", "arm", "seed", "steps", "width"))


class Queue:
    """Trains and tests one student after the other."""

    def __init__(self, splits: Splits, votes: Votes, out: Path, settings: Settings) -> None:
        self._training, self._votes, self._out = splits["Training"], votes, out
        self._tested, self._settings = for_test(splits, votes), settings
        kind = settings.device.type
        self._rows = int(self._training.rows.max()) + 1
        self._results = Results(out / "results", self._rows, settings.weights, kind)

    def run(
        self,
        *,
        sizes: Iterable[str],
        students: Iterable[Student],
        arms: Iterable[Arm],
        seeds: range,
        echo: Callable[[str], None],
    ) -> None:
        """Do the runs that have no line yet, and append theirs."""
        path = self._out / RUNS
        ended = read(self._out)
        there = {key_of(line) for line in ended}
        whole = path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0
        file = AppendOnlyFile(path, whole)
        try:
            for job in jobs(sizes, students, arms, seeds, self._settings):
                if job.key in there:
                    continue
                if job.arm.needs == "bundle" and not self._small(job):
                    echo(f"{job.arm.name}: no bundle of {job.size} faces, seed {job.seed}: --small")
                    continue
                line = self._done(job)
                file.add(json.dumps(line).encode() + b"\n")
                echo(
                    f"{job.size} {job.student} {job.arm.name} {job.seed}: "
                    f"{line['accuracy']:.3f} {line['macro_f1']:.3f} in {line['seconds']:.0f} s"
                )
        finally:
            file.close()

    def _done(self, job: Job) -> dict[str, Any]:
        faces = draw(self._training, SIZES[job.size], job.seed)
        made = self._results_of(job)
        pool = self._pool(job, faces, made) if made else None
        labels = self._labels(job.arm, faces)
        start = self._classifier(job.student) if job.arm.needs == "classifier" else None
        began = time.monotonic()
        predicted = self._trained(job, faces, labels, pool, start)
        seconds = time.monotonic() - began
        tested = self._tested
        matrix = confusion(tested.truth("fer2013")[~tested.reported], predicted[~tested.reported])
        return {
            **dict(zip(("size", "student", "arm", "seed", "steps", "width"), job.key, strict=True)),
            "accuracy": accuracy(matrix),
            "macro_f1": macro_f1(matrix),
            "seconds": round(seconds, 1),
            "device": self._settings.device.type,
            "generator": made.digest if made else None,
            "predicted": "".join(map(str, predicted)),
        }

    def _trained(
        self,
        job: Job,
        faces: Faces,
        labels: Floats,
        pool: Pool | None,
        start: dict[str, Tensor] | None,
    ) -> NDArray[np.int64]:
        network = train(
            job.arm,
            job.student,
            faces,
            labels,
            pool,
            steps=job.steps,
            seed=job.seed,
            width=job.width,
            device=self._settings.device,
            start=start,
        )
        logits = predict_logits(network, self._tested.faces.images, self._settings.device)
        return np.asarray(logits.argmax(1).numpy())

    def _labels(self, arm: Arm, faces: Faces) -> Floats:
        hard = np.eye(NUM_CLASSES, dtype=np.float32)[faces.labels]
        if arm.real_labels == "judge":
            return np.asarray(TEACHER * self._results.judged(faces) + (1 - TEACHER) * hard)
        if arm.real_labels == "votes":
            voted = soft_labels(faces, self._votes, 1.0)
            return np.where(voted.sum(1, keepdims=True) > 0, voted, hard)
        return hard

    def _results_of(self, job: Job) -> Results | None:
        """Return the results that a run trains on, if it does: those of the bundle of its arm."""
        if not job.arm.has_results:
            return None
        if job.arm.needs != "bundle":
            return self._results
        device = self._settings.device.type
        return Results(self._out / "results", self._rows, self._small(job), device)

    def _pool(self, job: Job, faces: Faces, made: Results) -> Pool:
        needed = np.zeros((len(faces), NUM_CLASSES), bool)
        some = faces.labels[:MOST_SOURCES].astype(np.int64)
        needed[:MOST_SOURCES] = wanted(job.arm, some, job.seed)
        parts = [made.translated(faces, strength, needed) for strength in job.arm.strengths]
        return Pool(
            pictures=np.stack([pictures for pictures, _ in parts], 2),
            judged=np.stack([judged for _, judged in parts], 2),
            strengths=job.arm.strengths,
            made=needed,
        )

    def _small(self, job: Job) -> Path | None:
        """Return the bundle that was trained on a run's faces alone, if it is there."""
        if self._settings.small is None:
            return None
        folder = self._settings.small / f"{job.size}-{job.seed}"
        return folder if folder.is_dir() else None

    def _classifier(self, student: Student) -> dict[str, Tensor]:
        """Return a student's weights that was trained on all of Training, once for all runs."""
        settings = self._settings
        steps = settings.steps or STEPS["all"]
        path = self._out / f"{student}-{settings.width}-{steps}.pt"
        if not path.exists():
            faces = self._training
            network = train(
                ARMS["plain"],
                student,
                faces,
                self._labels(ARMS["plain"], faces),
                None,
                steps=steps,
                seed=24,
                width=settings.width,
                device=settings.device,
            )
            torch.save(network.cpu().state_dict(), path.with_suffix(".partial"))
            path.with_suffix(".partial").replace(path)
        state: dict[str, Tensor] = torch.load(path, weights_only=True)
        return state
