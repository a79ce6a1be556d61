"""The trainer of a generator's mouths: it learns the steps that a teacher of mouths would take."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from cctranslate.emotions import NUM_CLASSES
from cctranslate.recipes.student import MouthStudentRecipe
from cctranslate.training.data import augment
from cctranslate.training.data.device_cache import DeviceDataset
from cctranslate.training.data.fer2013 import Faces, Splits
from cctranslate.training.data.ferplus import Votes, likeliest, soft_labels
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.data.sampler import Sampler
from cctranslate.training.device import autocast
from cctranslate.training.losses.terms import Terms
from cctranslate.training.networks.denoiser import Denoiser
from cctranslate.training.networks.flow_generator import FlowGenerator
from cctranslate.training.networks.inpainting import GuidedVelocity, context_of_mouths
from cctranslate.training.networks.mouths import crops
from cctranslate.training.networks.mouths.redrawer import BEGIN, STEPS
from cctranslate.training.trainers import optimizers
from cctranslate.training.trainers.ema import ExponentialAverage
from cctranslate.training.trainers.sheet import draw_sheet

WARM_UP = 50
"""Steps until the learning rate is reached."""
LONGEST_GRADIENT = 2.0
"""Norm that gradients are clipped to."""
_STEP = (1 - BEGIN) / STEPS


@dataclass(frozen=True, kw_only=True)
class MouthBatch:
    """The crops about mouths of N results, with what the teacher makes of them."""

    crop: Tensor
    """[N,1,24,32] in [-1,1]."""
    mask: Tensor
    """[N,1,24,32]: 1 where the mouth is redrawn."""
    labels: Tensor
    """The targets [N,7]."""
    guidance: Tensor
    """[N]"""
    steps: tuple[tuple[Tensor, Tensor], ...]
    """For each step of the teacher, the states [N,1,24,32] that it begins and ends with."""
    location_error: Tensor
    """Mean distance of found places from the true ones, in units of the locator's spread."""


class MouthStudentTrainer:
    """Trains a generator's `MouthRedrawer` by Muon and Adam; the rest of the generator stays."""

    def __init__(
        self,
        recipe: MouthStudentRecipe,
        *,
        faces: Faces,
        votes: Votes | None,
        face_landmarks: Landmarks,
        teacher: Denoiser,
        device: torch.device,
        seed: int,
    ) -> None:
        """Prepare for Training faces with their landmarks."""
        torch.manual_seed(seed)
        labels = soft_labels(faces, votes, recipe.vote_share)
        usable = face_landmarks.has_landmarks & (labels.sum(1) > 0)
        classes = likeliest(labels[usable])
        self.recipe, self.device = recipe, device
        self.dataset = DeviceDataset(faces.images[usable], device)
        self._points = torch.from_numpy(face_landmarks.points[usable]).to(device)
        self._classes = torch.from_numpy(classes).to(device)
        self.sampler = Sampler(classes, recipe.batch_size, recipe.class_balance, seed)
        self._teacher = teacher.to(device).eval().requires_grad_(False)
        self.g = FlowGenerator(recipe.generator).to(device).requires_grad_(False)
        assert self.g.mouth is not None
        self._mouth = self.g.mouth.requires_grad_(True)
        self.average = ExponentialAverage(self.g, recipe.ema).eval()
        self.muon, self.adam = optimizers.muon_and_adam(
            self._mouth, self._mouth.matrices(), recipe.lr, recipe.adam_lr
        )
        self._strengths = torch.tensor(recipe.strengths, device=device)
        first = [np.flatnonzero(classes == k)[:2] for k in range(NUM_CLASSES)]
        self._sheet_faces = self.dataset.levels(np.concatenate(first))

    def start_from(self, g: dict[str, Tensor]) -> None:
        """Start from a generator's weights; if it redraws no mouths, theirs are new.

        Raises:
            RuntimeError: They are of another network.
        """
        fresh = {n: v for n, v in self.g.state_dict().items() if n.startswith("mouth.")}
        for network in (self.g, self.average.module):
            network.load_state_dict(fresh | g)

    @property
    def steps_per_epoch(self) -> int:
        """Full batches in one pass over the faces."""
        return self.sampler.steps_per_epoch

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return max(1, round(self.recipe.epochs * self.steps_per_epoch))

    def step(self, step: int) -> Terms:
        """Learn the teacher's steps on newly drawn faces, targets and noise."""
        self._set_rates(step)
        terms = self._terms(self._draw(step))
        self.muon.zero_grad()
        self.adam.zero_grad()
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._mouth.parameters(), LONGEST_GRADIENT)
        self.muon.step()
        self.adam.step()
        self.average.update(self.g, step)
        return {name: value.detach() for name, value in terms.items()}

    def _draw(self, step: int) -> MouthBatch:
        """Translate newly drawn faces to other expressions, and let the teacher redraw them."""
        drawn = self.sampler.batch(step)
        chosen = torch.from_numpy(drawn).to(self.device)
        x, points = augment.with_landmarks(self.dataset.scaled(drawn), self._points[chosen])
        others = torch.randint(1, NUM_CLASSES, (len(x),), device=self.device)
        targets = (self._classes[chosen] + others) % NUM_CLASSES
        labels = torch.eye(NUM_CLASSES, device=self.device)[targets]
        with torch.no_grad(), autocast(self.device):
            edit = self.g.first_edit(self.g.encode_face(x), labels)
        result = self.g.apply_edit(
            x, edit, self._strengths[targets] * self._between(self.recipe.gains, len(x))
        )
        place = crops.places(points)
        error = (self._mouth.locator(x) - place) / self._mouth.locator.spread
        place = crops.shifted(place)
        corner = crops.corners(place)
        crop, mask = crops.cut(result, corner), crops.masks(place, corner)
        guidance = self._between(self.recipe.guidances, len(x))
        return MouthBatch(
            crop=crop,
            mask=mask,
            labels=labels,
            guidance=guidance,
            steps=self._followed(crop, mask, labels, guidance),
            location_error=error.abs().mean(),
        )

    def _between(self, ends: tuple[float, float], count: int) -> Tensor:
        least, largest = ends
        return least + (largest - least) * torch.rand(count, device=self.device)

    @torch.no_grad()
    def _followed(
        self, crop: Tensor, mask: Tensor, labels: Tensor, guidance: Tensor
    ) -> tuple[tuple[Tensor, Tensor], ...]:
        """Follow the teacher's flow from new noise."""
        noise = torch.randn_like(crop)
        context = context_of_mouths(crop, mask)
        velocity = GuidedVelocity(
            self._teacher, context, labels, None, guidance[:, None, None, None]
        )
        end, steps = torch.lerp(noise, crop, BEGIN), []
        for i in range(STEPS):
            begin = velocity.filled(end)
            end = begin + _STEP * velocity(end, BEGIN + i * _STEP)  # it fills `end` itself
            steps.append((begin, end))
        return tuple(steps)

    def _terms(self, batch: MouthBatch) -> Terms:
        """Return the squared error of each step's velocity in the mask, and of the location.

        Half of the crops begin each step where the networks' own steps have led. Their target is
        the velocity from there to where the teacher's step ends.
        """
        terms = {"location": batch.location_error}
        crop, mask, own = batch.crop, batch.mask, batch.steps[0][0]
        is_own = torch.rand(len(crop), 1, 1, 1, device=self.device) < 0.5
        for i, network in enumerate(self._mouth.velocities):
            begin, end = batch.steps[i]
            state = torch.where(is_own, own, begin)
            with autocast(self.device):
                velocity = network(state, crop, mask, batch.labels, batch.guidance)
            target = (end - state) / _STEP
            terms[f"step {i + 1}"] = ((velocity - target).square() * mask).sum() / mask.sum()
            own = (state + _STEP * velocity.detach()) * mask + crop * (1 - mask)
        return terms

    def _set_rates(self, step: int) -> None:
        factor = min(1.0, (step + 1) / WARM_UP) * optimizers.half_cosine(step / self.steps)
        optimizers.set_rate(self.adam, self.recipe.adam_lr * factor)
        for group in self.muon.param_groups:
            group["lr"] = self.recipe.lr * factor

    def state(self) -> dict[str, Any]:
        """Return weights, averaged weights and optimizers, and the faces that export checks."""
        return {
            "g": self.g.state_dict(),
            "average": self.average.module.state_dict(),
            "muon": self.muon.state_dict(),
            "adam": self.adam.state_dict(),
            "faces": torch.from_numpy(self._sheet_faces),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state that `state` returned."""
        self.g.load_state_dict(state["g"])
        self.average.module.load_state_dict(state["average"])
        self.muon.load_state_dict(state["muon"])
        optimizers.restore(self.adam, state["adam"])

    def conclude(self, splits: Splits, votes: Votes | None, is_over: Callable[[], bool]) -> None:
        """Measure nothing: `evaluate` does, by way of a bundle."""

    def sheet(self) -> Image.Image:
        """Draw a row a face: as it was, then in all seven expressions by the averaged G."""
        return draw_sheet(self.average, self._sheet_faces, self.device)
