"""The training of one student by one arm."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from cctranslate.emotions import NUM_CLASSES
from cctranslate.pixels import Floats
from cctranslate.training.data import augment
from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.device import autocast
from cctranslate.training.networks.classifiers import predict_logits
from cctranslate.training.trainers.ema import ExponentialAverage
from tests.bench.augment.arms import Arm
from tests.bench.augment.batches import Batches, Pool
from tests.bench.augment.randaugment import randaugment
from tests.bench.augment.students import BATCH, Student, build, switch

LR = 4e-3
FINE_TUNING_LR = 1e-3
WEIGHT_DECAY = 0.05
SHORTEST_CYCLE = 12
"""Steps below which a schedule is cut off instead of shortened."""
SMOOTHING = 0.1
AVERAGE = 0.995
MIXUP = 0.2
EASY_STEPS = 1 / 3
"""Fraction of the steps after which it shows which faces are hard to learn."""
HARD_FACES = 1 / 3


def moved_and_mirrored(x: Tensor) -> Tensor:
    """Change faces [N,1,48,48] a little.

    Students that take hundreds of steps, not thousands, learn more so than from the stronger
    changes that a long training needs: .50 of faces read after 600 steps, not .40.
    """
    return augment.affine(x, shift=2, turn=0.1, zoom=(0.93, 1.07))


POLICIES: dict[str, Callable[[Tensor], Tensor]] = {
    "standard": moved_and_mirrored,
    "randaugment": lambda x: augment.cutout(randaugment(x), side=14),
}


def train(
    arm: Arm,
    student: Student,
    faces: Faces,
    labels: Floats,
    pool: Pool | None,
    *,
    steps: int,
    seed: int,
    width: int,
    device: torch.device,
    start: dict[str, Tensor] | None = None,
) -> nn.Module:
    """Return a student with averaged weights after `steps` steps, on faces with labels [N,7].

    Args:
        start: Weights to begin from, with a lower rate.
    """
    network = build(student, width, seed, arm.separate_norm)
    if start is not None:
        network.load_state_dict(start)
    network = network.to(device)
    batches = Batches(arm, faces, labels, pool, seed)
    run = _Run(arm, network, batches, device)
    lr = LR if start is None else FINE_TUNING_LR
    first = round(steps * arm.pretraining)
    if first:
        run.go(range(first), lr, dose=1.0)
        run.go(range(first, steps), lr, dose=0.0)
    elif arm.hard_only:
        easy = round(steps * EASY_STEPS)
        run.go(range(steps), lr, dose=lambda step: arm.dose if step >= easy else 0.0, look=easy)
    else:
        run.go(range(steps), lr, dose=batches.dose)
    return run.average.module


class _Run:
    """A student in training."""

    def __init__(
        self, arm: Arm, network: nn.Module, batches: Batches, device: torch.device
    ) -> None:
        self.arm, self.network, self.batches, self.device = arm, network, batches, device
        self.average = ExponentialAverage(network, AVERAGE)
        self._weights: Tensor | None = None
        if arm.class_weights:
            counts = np.bincount(batches.faces.labels, minlength=NUM_CLASSES).clip(1)
            weights = torch.from_numpy(counts.sum() / (NUM_CLASSES * counts)).float()
            self._weights = weights.to(device)

    def go(
        self,
        steps: range,
        lr: float,
        dose: float | Callable[[int], float],
        look: int | None = None,
    ) -> None:
        """Take AdamW steps on one cycle; at step `look` find the faces that are hard to learn."""
        optimizer = torch.optim.AdamW(self.network.parameters(), lr=lr, weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, lr, total_steps=max(len(steps) + 1, SHORTEST_CYCLE), pct_start=0.2
        )
        for step in steps:
            if step == look:
                self.batches.choose_from(self._hard())
            self.network.train()
            loss = self._loss(step, dose if isinstance(dose, float) else dose(step))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            self.average.update(self.network, step)
        switch(self.average.module, on_results=False)

    def _loss(self, step: int, dose: float) -> Tensor:
        count = round(BATCH * dose)
        parts = [
            (self.batches.real(step, BATCH - count), False) if count < BATCH else None,
            (self.batches.results(step, count), True) if count else None,
        ]
        given = [part for part in parts if part]
        if self.arm.separate_norm:
            losses = [
                self._loss_of(x, y, on_results) * (len(x) / BATCH) for (x, y), on_results in given
            ]
            return torch.stack(losses).sum()
        x = torch.cat([x for (x, _), _ in given])
        y = torch.cat([y for (_, y), _ in given])
        return self._loss_of(x, y, False)

    def _loss_of(self, x: Tensor, y: Tensor, on_results: bool) -> Tensor:
        switch(self.network, on_results)
        x, y = POLICIES[self.arm.policy](x.to(self.device)), y.to(self.device)
        x, y = _mixed(x, y, self.arm.mix)
        with autocast(self.device):
            logits = self.network(x.contiguous(memory_format=torch.channels_last))
        loss = F.cross_entropy(logits.float(), y, label_smoothing=SMOOTHING, reduction="none")
        if self._weights is not None:
            loss = loss * (y @ self._weights)
        return loss.mean()

    def _hard(self) -> NDArray[np.bool_]:
        """Return the third of the faces [N] whose label the student gives the least chance."""
        faces = self.batches.faces
        logits = predict_logits(self.average.module, faces.images, self.device)
        chance = logits.softmax(1).numpy()[np.arange(len(faces)), faces.labels]
        return np.asarray(chance <= np.quantile(chance, HARD_FACES))


def _mixed(x: Tensor, y: Tensor, mix: str) -> tuple[Tensor, Tensor]:
    """Mix faces and labels with those of others (Zhang et al. 2018, Yun et al. 2019)."""
    if mix == "none" or (mix == "cutmix" and torch.rand(()) < 0.5):
        return x, y
    order = torch.randperm(len(x), device=x.device)
    if mix == "mixup":
        part = float(np.random.default_rng(int(torch.randint(1 << 31, ()))).beta(MIXUP, MIXUP))
        return part * x + (1 - part) * x[order], part * y + (1 - part) * y[order]
    size = x.shape[-1]
    side = round(size * float(torch.rand(())) ** 0.5)
    top, left = (int(torch.randint(size - side + 1, ())) for _ in range(2))
    x = x.clone()
    x[:, :, top : top + side, left : left + side] = x[
        order, :, top : top + side, left : left + side
    ]
    part = 1 - side**2 / size**2
    return x, part * y + (1 - part) * y[order]
