"""The trainer of GAN recipes: steps of D, and every nth time one of G."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from cctranslate.recipes.gan import GanRecipe
from cctranslate.training.data.batches import Batch, Batches
from cctranslate.training.data.fer2013 import Faces, Splits
from cctranslate.training.data.ferplus import Votes
from cctranslate.training.device import autocast
from cctranslate.training.losses.adversarial import (
    DiscriminatorLoss,
    GeneratorLoss,
    Pairs,
    d_accuracy,
)
from cctranslate.training.losses.regularization import ChangeLoss, gradient_penalty, masked_mean
from cctranslate.training.losses.teachers import TeacherNetworks, Teachers
from cctranslate.training.losses.terms import Terms, total
from cctranslate.training.networks.discriminators import build_discriminator
from cctranslate.training.networks.generator import Code, Edit
from cctranslate.training.networks.pretrained import resnet50
from cctranslate.training.networks.registry import build_generator
from cctranslate.training.trainers import optimizers
from cctranslate.training.trainers.cuda_graphs import GraphedStep
from cctranslate.training.trainers.ema import ExponentialAverage
from cctranslate.training.trainers.sheet import draw_sheet
from cctranslate.training.trainers.step_plan import R1_EVERY, StepPlan, plan_step

N = TypeVar("N", bound=nn.Module)
SHEET_FACES = 14
"""Faces of a sheet: two of each expression."""


class GanTrainer:
    """Trains D and G by Adam for the last stage of a recipe, with an averaged G."""

    def __init__(
        self,
        recipe: GanRecipe,
        *,
        faces: Faces,
        votes: Votes | None,
        networks: TeacherNetworks,
        device: torch.device,
        seed: int,
    ) -> None:
        torch.manual_seed(seed)
        self.recipe, self.device = recipe, device
        self._weights, self._procedure = recipe.final_recipe.weights, recipe.final_recipe.procedure
        procedure, weights = self._procedure, self._weights
        self.batches = Batches(procedure, faces, votes, device, seed)
        self.teachers = Teachers(networks, procedure, weights, device)
        self._sees_identity = self.teachers.see_identity
        self.d_loss = DiscriminatorLoss(procedure)
        self.g_loss = GeneratorLoss(procedure, weights)
        self.change_loss = ChangeLoss(weights)
        self.g = _prepared(build_generator(recipe.generator), device)
        self.d = _prepared(build_discriminator(recipe.discriminator), device)
        resnet50.start(self.d, recipe.discriminator.backbone)
        self.average = ExponentialAverage(self.g, procedure.ema).eval()
        rates = procedure.lr, procedure.betas, device
        self.g_optimizer = optimizers.build(self.g.parameters(), *rates)
        self.d_optimizer = optimizers.build(self.d.parameters(), *rates)
        self._graphed_step = GraphedStep(self._work, device)
        self._sheet_faces = self.batches.spread(SHEET_FACES)
        self._initial_weights: dict[str, Tensor] = {}

    @property
    def steps_per_epoch(self) -> int:
        """Full batches in one pass over the faces."""
        return self.batches.steps_per_epoch

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return max(1, round(self._procedure.epochs * self.steps_per_epoch))

    def step(self, step: int) -> Terms:
        """Draw faces and targets, then train D and G by the step's plan."""
        batch = self.batches.draw(step)
        self._set_rate(step)
        plan = plan_step(step, self.steps, self._procedure, self._weights, self._sees_identity)
        terms = self._graphed_step(plan, batch)
        if plan.g:
            self.average.update(self.g, step)
        return terms

    def _work(self, plan: StepPlan, batch: Batch) -> Terms:
        """Encode each face once, decode each target, and train D and G by the plan."""
        parts = batch.parts(self._procedure.g_parts)
        whole = plan.g and len(parts) == 1
        with torch.set_grad_enabled(whole):
            code, edit = self._translate(batch)
        terms = self._step_d(batch, edit.image.detach(), plan) if plan.d else {}
        if plan.g:
            for part in parts:
                code_edit = (code, edit) if whole else self._translate(part)
                terms |= self._step_g(part, *code_edit, plan)
        return terms

    def _translate(self, batch: Batch) -> tuple[Code, Edit]:
        with autocast(self.device):
            code = self.g.encode(batch.x)
            return code, self.g.edit(tuple(c[batch.source] for c in code), batch.target_labels)

    def _step_d(self, batch: Batch, fake: Tensor, plan: StepPlan) -> Terms:
        weights, procedure = self._weights, self._procedure
        self.d.requires_grad_(True)
        with autocast(self.device):
            pairs = self._compare(batch, fake)
            refused = self._refused(batch) if weights.d_mismatch else None
        terms = self.d_loss(pairs, refused)
        loss = total(terms, weights)
        if plan.penalties:
            penalty = self._penalty(batch.real, batch.real_classes)
            penalty = penalty + self._penalty(fake, batch.targets)
            loss = loss + R1_EVERY * weights.r1 / 2 * penalty
        self.d_optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.d_optimizer.step()
        return terms | {"d_accuracy": d_accuracy(procedure.adversarial, pairs)}

    def _penalty(self, images: Tensor, classes: Tensor) -> Tensor:
        images = images.detach().requires_grad_()
        return gradient_penalty(self.d(images, classes).realness(classes), images)

    def _step_g(self, batch: Batch, code: Code, edit: Edit, plan: StepPlan) -> Terms:
        weights, procedure = self._weights, self._procedure
        source, fake = batch.x[batch.source], edit.image
        same = (batch.targets == batch.classes[batch.source]).float()
        self.d.requires_grad_(False)
        terms: Terms = {}
        with autocast(self.device):
            if plan.d:
                terms |= self.g_loss(self._compare(batch, fake))
            if weights.guide:
                terms["guide"] = masked_mean(self.teachers.guide(fake, batch.targets), 1 - same)
            if weights.reconstruction:
                redrawn = self.g.edit(code, batch.labels).image
                terms["reconstruction"] = F.l1_loss(redrawn, batch.x)
            if plan.cycle:
                noisy = fake + procedure.cycle_noise * torch.randn_like(fake)
                back = self.g(noisy, batch.labels[batch.source])
                terms["cycle"] = F.l1_loss(back, source)
            terms |= self.change_loss(fake, source, edit.flow, same)
        if plan.identity:
            terms |= self.teachers.identity(batch, source, fake)
        loss = total(terms, weights, procedure.lazy)
        self.g_optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.g_optimizer.step()
        return terms

    def _compare(self, batch: Batch, fake: Tensor) -> Pairs:
        return Pairs(
            real=self.d(batch.real, batch.real_classes),
            fake=self.d(fake, batch.targets),
            real_classes=batch.real_classes,
            fake_classes=batch.targets,
            real_labels=batch.real_labels,
        )

    def _refused(self, batch: Batch) -> Tensor:
        """Return D's logits of real faces with wrong labels."""
        wrong = self.batches.others(batch.real_classes)
        return self.d(batch.real, wrong).realness(wrong)

    def _set_rate(self, step: int) -> None:
        procedure = self._procedure
        decay = optimizers.half_cosine(step / self.steps) if procedure.lr_decay else 1.0
        for optimizer in (self.g_optimizer, self.d_optimizer):
            optimizers.set_rate(optimizer, procedure.lr * decay)

    def state(self) -> dict[str, Any]:
        """Return networks, average and optimizers, and the sheet's faces, which `export` uses."""
        state = {name: getattr(self, name).state_dict() for name in _NETWORKS + _OPTIMIZERS}
        state |= {"average": self.average.module.state_dict(), "teachers": self.teachers.state()}
        state["faces"] = torch.from_numpy(self._sheet_faces)
        if self.recipe.last_stage.blend:
            state["began"] = self._initial_weights  # for the blend with the initial weights
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Load a state that `state` returned."""
        for name in _NETWORKS:
            getattr(self, name).load_state_dict(state[name])
        self.average.module.load_state_dict(state["average"])
        self.teachers.restore(state["teachers"])
        for name in _OPTIMIZERS:
            optimizers.restore(getattr(self, name), state[name])

    def conclude(self, splits: Splits, votes: Votes | None, is_over: Callable[[], bool]) -> None:
        """Do nothing: `evaluate` measures the exported bundle."""

    def start_from(self, g: dict[str, Tensor], d: dict[str, Tensor]) -> None:
        """Start from the final G of the stage before, and from its D unless `fresh_d` is set."""
        self._initial_weights = g
        self.g.load_state_dict(g)
        self.average.module.load_state_dict(g)
        if not self.recipe.last_stage.fresh_d:
            self.d.load_state_dict(d)

    def sheet(self) -> Image.Image:
        """Draw a row for each face: the face, then its translations by the averaged G."""
        return draw_sheet(self.average, self._sheet_faces, self.device)


_NETWORKS = ("g", "d")
_OPTIMIZERS = ("g_optimizer", "d_optimizer")


def _prepared(network: N, device: torch.device) -> N:
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
