"""The trainer of the teacher: flow matching (Lipman et al. 2023) on masked faces."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from cctranslate.emotions import EMOTIONS
from cctranslate.recipes.teacher import TeacherRecipe
from cctranslate.training.data import augment, face_masks
from cctranslate.training.data.device_cache import DeviceDataset
from cctranslate.training.data.fer2013 import Faces, Splits
from cctranslate.training.data.ferplus import Votes, soft_labels
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.data.sampler import Sampler
from cctranslate.training.device import autocast
from cctranslate.training.losses.terms import Terms
from cctranslate.training.networks.denoiser import Condition, Context, Denoiser
from cctranslate.training.networks.identity_eraser import fit_eraser
from cctranslate.training.networks.inpainting import Start, context_of, inpaint
from cctranslate.training.trainers import optimizers
from cctranslate.training.trainers.ema import ExponentialAverage
from cctranslate.training.trainers.sheet import to_picture

WARM_UP = 50
"""Steps until the learning rate is reached."""
LONGEST_GRADIENT = 1.0
"""Norm that gradients are clipped to."""
TIME_MEAN, TIME_SPREAD = 0.2, 1.2
"""Mean and deviation of the logit of training times: somewhat late, as repairs begin late."""
SHEET_FACES, SHEET_STEPS, SHEET_GUIDANCE = 5, 4, 2.0
"""Faces of a sheet, and how they are filled in."""


@dataclass(frozen=True, kw_only=True)
class TeacherBatch:
    """The N faces of a step, on the trainer's device."""

    x: Tensor
    """[N,1,48,48] in [-1,1]."""
    points: Tensor
    """Landmarks [N,5,2]."""
    has_landmarks: Tensor
    """Whether the landmarks were found [N] bool; else they are the template's."""
    labels: Tensor
    """Distributions over the expressions [N,7]."""
    identity: Tensor
    """Embeddings [N,128] without the expression."""


class FlowMatchingTrainer:
    """Trains the velocity from noise to faces by Muon and Adam, with averaged weights."""

    def __init__(
        self,
        recipe: TeacherRecipe,
        *,
        faces: Faces,
        votes: Votes | None,
        face_landmarks: Landmarks,
        embeddings: NDArray[np.float32],
        device: torch.device,
        seed: int,
    ) -> None:
        """Prepare for Training faces with their landmarks and embeddings [N,128]."""
        torch.manual_seed(seed)
        labels = soft_labels(faces, votes, recipe.vote_share)
        usable = self.usable(labels, face_landmarks)
        labels, embeddings = labels[usable], embeddings[usable]
        self.recipe, self.device = recipe, device
        self.dataset = DeviceDataset(faces.images[usable], device)
        self.sampler = Sampler(labels.argmax(1), recipe.batch_size, recipe.class_balance, seed)
        self._points = torch.from_numpy(face_landmarks.points[usable]).to(device)
        self._has_landmarks = torch.from_numpy(face_landmarks.has_landmarks[usable]).to(device)
        self._labels = torch.from_numpy(labels).to(device)
        network = Denoiser(recipe)
        mean, eraser = fit_eraser(embeddings, labels)
        network.identity_mean.copy_(torch.from_numpy(mean))
        network.identity_eraser.copy_(torch.from_numpy(eraser))
        self._identity = network.erase(torch.from_numpy(embeddings)).to(device)
        self.network = network.to(device)
        self.average = ExponentialAverage(self.network, recipe.ema).eval()
        self.muon, self.adam = optimizers.muon_and_adam(
            self.network, self.network.matrices(), recipe.lr, recipe.adam_lr
        )
        self._sheet_faces = _one_of_each(labels)

    @staticmethod
    def usable(labels: NDArray[np.float32], face_landmarks: Landmarks) -> NDArray[np.bool_]:
        """Return which faces [N] are trained on: those with a label."""
        return labels.sum(1) > 0

    @property
    def steps_per_epoch(self) -> int:
        """Full batches in one pass over the faces."""
        return self.sampler.steps_per_epoch

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return max(1, round(self.recipe.epochs * self.steps_per_epoch))

    def step(self, step: int) -> Terms:
        """Take one step on newly drawn faces, masks, times and noise."""
        self._set_rates(step)
        loss, terms = self._loss(self._draw(step))
        self.muon.zero_grad()
        self.adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), LONGEST_GRADIENT)
        self.muon.step()
        self.adam.step()
        self.average.update(self.network, step)
        return terms

    def _draw(self, step: int) -> TeacherBatch:
        drawn = self.sampler.batch(step)
        chosen = torch.from_numpy(drawn).to(self.device)
        x, points = augment.with_landmarks(self.dataset.scaled(drawn), self._points[chosen])
        return TeacherBatch(
            x=x,
            points=points,
            has_landmarks=self._has_landmarks[chosen],
            labels=self._labels[chosen],
            identity=self._identity[chosen],
        )

    def _loss(self, batch: TeacherBatch) -> tuple[Tensor, Terms]:
        """Return the squared error of the velocity in the mask, and terms for the log."""
        n, recipe = len(batch.x), self.recipe
        x, context = self._shown(batch)
        mask = context.mask
        condition = Condition(
            labels=batch.labels,
            identity=batch.identity,
            has_label=self._draw_mask(n, 1 - recipe.drop_label),
            has_identity=self._draw_mask(n, 1 - recipe.drop_identity),
        )
        t = torch.sigmoid(TIME_MEAN + TIME_SPREAD * torch.randn(n, device=self.device))
        weight = t[:, None, None, None]
        noise = torch.randn_like(x)
        state = torch.lerp(noise, x, weight) * mask + context.visible
        with autocast(self.device):
            velocity = self.network(state, t, context, condition)
        error = (velocity - (x - noise)).square() * mask
        loss = error.sum() / mask.sum()
        late = (weight > 0.7).float() * mask
        with torch.no_grad():
            terms = {"loss": loss.detach(), "late": (error * late).sum() / late.sum().clamp_min(1)}
        return loss, terms

    def _shown(self, batch: TeacherBatch) -> tuple[Tensor, Context]:
        """Return the pictures that are to be learned, and what is visible of them."""
        mask = face_masks.random_masks(batch.points, batch.has_landmarks)
        sees_eyes = self._draw_mask(len(batch.x), 1 - self.recipe.drop_eyes)
        return batch.x, context_of(batch.x, mask, batch.points, batch.has_landmarks, sees_eyes)

    def _draw_mask(self, n: int, probability: float) -> Tensor:
        return torch.rand(n, device=self.device) < probability

    def _set_rates(self, step: int) -> None:
        hold = self.recipe.lr_hold
        factor = min(1.0, (step + 1) / WARM_UP) / math.sqrt(max(1.0, step / hold))
        optimizers.set_rate(self.adam, self.recipe.adam_lr * factor)
        for group in self.muon.param_groups:
            group["lr"] = self.recipe.lr * factor

    def state(self) -> dict[str, Any]:
        """Return weights, averaged weights and the optimizers."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.module.state_dict(),
            "muon": self.muon.state_dict(),
            "adam": self.adam.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Load a state that `state` returned."""
        self.network.load_state_dict(state["network"])
        self.average.module.load_state_dict(state["average"])
        self.muon.load_state_dict(state["muon"])
        optimizers.restore(self.adam, state["adam"])

    def conclude(self, splits: Splits, votes: Votes | None, is_over: Callable[[], bool]) -> None:
        """Do nothing: there is nothing to measure."""

    def sheet(self) -> Image.Image:
        """Draw a column for each face: the face, then filled in for all seven expressions."""
        drawn, average = self._sheet_faces, self.average.module
        assert isinstance(average, Denoiser)
        chosen = torch.from_numpy(drawn).to(self.device)
        x, points = self.dataset.scaled(drawn), self._points[chosen]
        has_landmarks = self._has_landmarks[chosen]
        mask = face_masks.region_masks(points, has_landmarks, face_masks.WHOLE_EXPRESSION)
        rows = [x]
        for target in range(len(EMOTIONS)):
            start = Start(x=x, source=x, mask=mask, points=points, has_landmarks=has_landmarks)
            labels = torch.eye(len(EMOTIONS), device=self.device)[target].expand(len(x), -1)
            rows.append(
                inpaint(
                    average,
                    start,
                    labels,
                    self._identity[chosen],
                    generator=torch.Generator().manual_seed(target),
                    steps=SHEET_STEPS,
                    guidance=SHEET_GUIDANCE,
                )
            )
        return to_picture(torch.cat([torch.cat(list(row[:, 0]), 1) for row in rows]))


def _one_of_each(labels: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the face with the surest label of each expression, in the expressions' order."""
    return labels.argmax(0).astype(np.int64)[:SHEET_FACES]
