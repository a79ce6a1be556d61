"""What a student sees in a step: real faces, and results beside them or instead of them."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cctranslate.emotions import NUM_CLASSES
from cctranslate.pixels import Floats, Gray
from cctranslate.training.data.device_cache import scaled
from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.data.sampler import Sampler
from tests.bench.augment.arms import Arm
from tests.bench.augment.students import BATCH

NOISE = 8.0
"""Standard deviation, in gray levels, of the noise on copies."""
MOST_FACES = 2000
"""Above this many faces arms draw from a part of the results: making all takes a core half an hour.

It is what `--balance` makes, or one result of each face for those that draw all expressions.
"""
TEACHER = 0.5
"""Weight of the judge's probabilities in soft labels."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Results to draw from, by face, target and strength: `pictures` [N,7,S,48,48]."""

    pictures: Gray
    judged: Floats
    """The judge's probabilities [N,7,S,7] of them."""
    strengths: tuple[float, ...]
    made: NDArray[np.bool_]
    """Which results [N,7] were made; the others are blank."""


def wanted(arm: Arm, labels: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """Return which results [N,7] of faces with `labels` [N] an arm needs."""
    is_label = np.eye(NUM_CLASSES, dtype=bool)[labels]
    if arm.source == "self":
        return is_label
    if arm.source == "all":
        if len(labels) <= MOST_FACES:
            return np.ones_like(is_label)
        random = np.random.default_rng([seed, 13])
        return np.eye(NUM_CLASSES, dtype=bool)[random.integers(NUM_CLASSES, size=len(labels))]
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    if not arm.once and len(labels) <= MOST_FACES:
        return np.asarray(~is_label & (counts < counts.max()))
    found = np.zeros_like(is_label)
    for target, lacks in enumerate(arm.multiple * counts.max() - counts):
        others = np.flatnonzero(labels != target)
        random = np.random.default_rng([seed, 11, target])
        found[random.choice(others, min(lacks, len(others)), replace=False), target] = True
    return found


def chances(labels: NDArray[np.int64], allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the chance [N,7] of each result to be drawn, so that classes fill up.

    Each class is drawn as often as it lacks faces to the largest one; within a class all `allowed`
    [N,7] results are drawn alike.
    """
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    per_class = (counts.max() - counts) * allowed.any(0)
    weights = allowed * (per_class / allowed.sum(0).clip(1))
    total = weights.sum()
    return np.asarray(weights / total if total else weights, np.float64)


def allowed(arm: Arm, faces: Faces, pool: Pool, hard: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which results [N,7] an arm may draw of those that were made."""
    found = pool.made
    if arm.confirmed:
        found = found & (pool.judged[:, :, -1].argmax(2) == np.arange(NUM_CLASSES))
    return np.asarray(found & hard[:, None])


class Batches:
    """The batches of one run, drawn by its seed: paired arms see the same real faces in a step."""

    def __init__(
        self, arm: Arm, faces: Faces, labels: Floats, pool: Pool | None, seed: int
    ) -> None:
        """Take the real faces with their labels [N,7], and the results if the arm has any."""
        self.arm, self.faces, self.labels, self._pool, self._seed = arm, faces, labels, pool, seed
        classes = faces.labels.astype(np.int64)
        self._sampler = Sampler(classes, BATCH, arm.balance, seed)
        self._everyone = np.ones(len(faces), bool)
        self.choose_from(self._everyone)

    def choose_from(self, hard: NDArray[np.bool_]) -> None:
        """Draw results of these faces [N] alone."""
        self.dose = self.arm.dose
        if self._pool is None:
            return
        found = allowed(self.arm, self.faces, self._pool, hard)
        labels = self.faces.labels.astype(np.int64)
        if self.arm.source == "ours" and not self.arm.once:
            self._chances = chances(labels, found)
        else:  # each as often, as the faces themselves
            self._chances = found / found.sum()
        if self.arm.once:
            self.dose = float(found.sum() / (found.sum() + len(found)))
        self._cumulative = np.cumsum(self._chances.ravel())

    def real(self, step: int, count: int) -> tuple[Tensor, Tensor]:
        """Return a step's real faces [count,1,48,48] and their labels [count,7]."""
        chosen = self._sampler.batch(step)[:count]
        return _tensors(self.faces.images[chosen], self.labels[chosen])

    def results(self, step: int, count: int) -> tuple[Tensor, Tensor]:
        """Return a step's results [count,1,48,48] and their labels [count,7]."""
        random = np.random.default_rng([self._seed, 7, step])
        if self._pool is None:
            chosen = random.integers(len(self.faces), size=count)
            noise = random.normal(0, NOISE, (count, *self.faces.images.shape[1:]))
            noisy = (self.faces.images[chosen] + noise).clip(0, 255).astype(np.uint8)
            return _tensors(noisy, self.labels[chosen])
        draw = random.random(count) * self._cumulative[-1]
        flat = np.searchsorted(self._cumulative, draw, side="right")
        face, target = np.divmod(flat.clip(max=self._chances.size - 1), NUM_CLASSES)
        strength = random.integers(len(self._pool.strengths), size=count)
        labels = self._result_labels(face, target, strength)
        return _tensors(self._pool.pictures[face, target, strength], labels)

    def _result_labels(
        self, face: NDArray[np.int64], target: NDArray[np.int64], strength: NDArray[np.int64]
    ) -> Floats:
        assert self._pool is not None
        each = np.eye(NUM_CLASSES, dtype=np.float32)
        hard = each[target]
        if self.arm.result_labels == "judge":
            judged = self._pool.judged[face, target, strength]
            return np.asarray(TEACHER * judged + (1 - TEACHER) * hard, np.float32)
        if self.arm.result_labels == "strength":
            part = np.array(self._pool.strengths, np.float32)[strength][:, None]
            return np.asarray(part * hard + (1 - part) * each[self.faces.labels[face]], np.float32)
        return hard


def _tensors(images: Gray, labels: Floats) -> tuple[Tensor, Tensor]:
    return scaled(torch.from_numpy(images)), torch.from_numpy(np.asarray(labels, np.float32))
