"""Training of a translator: one step of D, and every nth time one of G."""

import copy
import math
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from cctranslate.emotions import EMOTIONS
from cctranslate.pixels import to_levels
from cctranslate.recipes.spec import Recipe
from cctranslate.training import augment, backbone, checkpoint, device, losses
from cctranslate.training.batches import Batch, Batches
from cctranslate.training.classifier import Classifier
from cctranslate.training.dataset import Faces
from cctranslate.training.discriminators import build_discriminator
from cctranslate.training.edit import CLASSES, Code, Edit
from cctranslate.training.generators import build_generator
from cctranslate.training.losses import Pairs, Terms
from cctranslate.training.votes import Votes

R1_EVERY = 8
"""The gradient penalties are taken once in so many steps, so many times as heavy (StyleGAN2)."""
N = TypeVar("N", bound=nn.Module)
GUIDE_NOISE = 0.1
HIDDEN = 0.75
"""How often a guide sees the upper half alone of what it is to read by the eyes."""
SHEET_FACES = 14


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """The networks that were trained before G and teach it."""

    guides: tuple[Classifier, ...] = ()
    encoder: Classifier | None = None


class GanTrainer:
    """Adam steps of D and G on what a recipe says, with an averaged G."""

    def __init__(
        self,
        recipe: Recipe,
        faces: Faces,
        votes: Votes | None,
        teachers: Frozen,
        place: torch.device,
        seed: int,
    ) -> None:
        torch.manual_seed(seed)
        procedure = recipe.procedure
        self.recipe, self.device = recipe, place
        self.batches = Batches(procedure, faces, votes, place, seed)
        self.guides = [_still(guide, place) for guide in teachers.guides]
        self.encoder = _still(teachers.encoder, place) if teachers.encoder else None
        self.g = _prepared(build_generator(recipe.generator), place)
        self.d = _prepared(build_discriminator(recipe.discriminator), place)
        backbone.start(self.d, recipe.discriminator.backbone)
        self.average = copy.deepcopy(self.g).requires_grad_(False).eval()
        self.g_optimizer = torch.optim.Adam(self.g.parameters(), procedure.lr, procedure.betas)
        self.d_optimizer = torch.optim.Adam(self.d.parameters(), procedure.lr, procedure.betas)
        told = [EMOTIONS.index(emotion) for emotion in procedure.by_the_eyes]
        self._by_the_eyes = torch.tensor(told, dtype=torch.int64, device=place)
        self._shown = self.batches.spread(SHEET_FACES)

    @property
    def steps_an_epoch(self) -> int:
        """Full batches in one pass over the faces."""
        return self.batches.steps_an_epoch

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return max(1, round(self.recipe.procedure.epochs * self.steps_an_epoch))

    def step(self, step: int) -> dict[str, Tensor]:
        """Draw faces and targets, encode once, decode each, step D and, when it is its turn, G."""
        batch = self.batches.draw(step)
        self._set_rate(step)
        g_turn = step % self.recipe.procedure.g_every == 0
        parts = batch.parts(self.recipe.procedure.g_parts)
        whole = g_turn and len(parts) == 1
        with torch.set_grad_enabled(whole):
            code, edit = self._translate(batch)
        warm = step >= round(self.recipe.procedure.warm_up * self.steps)
        terms = self._step_d(batch, edit.image.detach(), step) if warm else {}
        if g_turn:
            due = self._due(step) if warm else {}
            for part in parts:
                now = (code, edit) if whole else self._translate(part)
                terms |= self._step_g(part, *now, due)
            decay = min(self.recipe.procedure.ema, (1 + step) / (10 + step))
            checkpoint.update_average(self.average, self.g, decay)
        return {name: value.detach() for name, value in terms.items()}

    def _translate(self, batch: Batch) -> tuple[Code, Edit]:
        with device.autocast(self.device):
            code = self.g.encode(batch.x)
            return code, self.g.edit(tuple(c[batch.source] for c in code), batch.target_labels)

    def _step_d(self, batch: Batch, fake: Tensor, step: int) -> Terms:
        weights, procedure = self.recipe.weights, self.recipe.procedure
        self.d.requires_grad_(True)
        with device.autocast(self.device):
            pairs = self._verdicts(batch, fake)
            refused = self._refused(batch) if weights.d_mismatch else None
        terms = losses.d_terms(procedure.adversarial, weights, pairs, procedure.classes)
        if refused is not None:
            terms["d_mismatch"] = losses.d_refusal(procedure.adversarial, refused)
        loss = losses.total(terms, asdict(weights))
        if weights.r1 and step % R1_EVERY == 0:
            penalty = self._penalty(batch.real, batch.real_classes)
            penalty = penalty + self._penalty(fake, batch.targets)
            loss = loss + R1_EVERY * weights.r1 / 2 * penalty
        self.d_optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.d_optimizer.step()
        return terms | {"d_accuracy": losses.d_accuracy(procedure.adversarial, pairs)}

    def _penalty(self, images: Tensor, classes: Tensor) -> Tensor:
        images = images.detach().requires_grad_()
        return losses.gradient_penalty(self.d(images, classes).realness(classes), images)

    def _due(self, step: int) -> dict[str, int]:
        """The costly terms of a step, and how many times as heavy they are taken."""
        lazy = self.recipe.procedure.lazy
        due = {"adversarial": 1}
        if self.recipe.weights.cycle and step % lazy == 0:
            due["cycle"] = lazy
        if self.encoder is not None and step % lazy == lazy - 1:
            due["identity"] = lazy
        return due

    def _step_g(self, batch: Batch, code: Code, edit: Edit, due: dict[str, int]) -> Terms:
        weights, procedure = self.recipe.weights, self.recipe.procedure
        source, fake = batch.x[batch.source], edit.image
        own = (batch.targets == batch.classes[batch.source]).float()
        self.d.requires_grad_(False)
        terms: Terms = {}
        with device.autocast(self.device):
            if "adversarial" in due:
                pairs = self._verdicts(batch, fake)
                terms |= losses.g_terms(procedure.adversarial, weights, pairs, procedure.classes)
            if weights.guide:
                terms["guide"] = _mean(self._guide(fake, batch.targets), 1 - own)
            if self.encoder is not None and "identity" in due:
                terms["identity"] = self._identity(self.encoder, source, fake)
            if weights.reconstruction:
                redrawn = self.g.edit(code, batch.labels).image
                terms["reconstruction"] = F.l1_loss(redrawn, batch.x)
            if "cycle" in due:
                noisy = fake + procedure.cycle_noise * torch.randn_like(fake)
                back = self.g(noisy, batch.labels[batch.source])
                terms["cycle"] = F.l1_loss(back, source)
            if weights.change:
                terms["change"] = F.mse_loss(fake, source)
            if weights.own:
                terms["own"] = _mean((fake - source).abs().mean((1, 2, 3)), own)
            if weights.smoothness:
                terms["smoothness"] = losses.smoothness(edit.flow)
        heavy = {name: value * due.get(name, 1) for name, value in asdict(weights).items()}
        loss = losses.total(terms, heavy)
        self.g_optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.g_optimizer.step()
        return terms

    def _verdicts(self, batch: Batch, fake: Tensor) -> Pairs:
        return Pairs(
            real=self.d(batch.real, batch.real_classes),
            fake=self.d(fake, batch.targets),
            real_classes=batch.real_classes,
            fake_classes=batch.targets,
            real_labels=batch.real_labels,
        )

    def _refused(self, batch: Batch) -> Tensor:
        """What D says of reals under labels that are not theirs."""
        wrong = self.batches.others(batch.real_classes)
        return self.d(batch.real, wrong).realness(wrong)

    def _guide(self, fake: Tensor, targets: Tensor) -> Tensor:
        """The guides' mean loss [N], each on a view of its own."""
        views = [guide(self._view(fake, targets)).float() for guide in self.guides]
        return torch.stack([losses.guide_loss(view, targets) for view in views]).mean(0)

    def _view(self, fake: Tensor, targets: Tensor) -> Tensor:
        view = augment.for_guide(fake, GUIDE_NOISE)
        if not len(self._by_the_eyes):
            return view
        hidden = torch.rand(len(fake), device=fake.device) < HIDDEN
        return augment.without_lower_half(view, torch.isin(targets, self._by_the_eyes) & hidden)

    def _identity(self, encoder: Classifier, source: Tensor, fake: Tensor) -> Tensor:
        """How far the encoder takes the faces for others, both seen in the same view."""
        views = augment.for_identity(torch.cat([source, fake], 1))
        z = encoder(views.transpose(0, 1).reshape(-1, 1, *views.shape[2:])).float()
        return 1 - F.cosine_similarity(*z.chunk(2)).mean()

    def _set_rate(self, step: int) -> None:
        procedure = self.recipe.procedure
        past_half = max(0.0, step / self.steps - 0.5) * 2 if procedure.lr_decay else 0.0
        for optimizer in (self.g_optimizer, self.d_optimizer):
            for group in optimizer.param_groups:
                group["lr"] = procedure.lr * 0.5 * (1 + math.cos(math.pi * past_half))

    def state(self) -> dict[str, Any]:
        """Networks, average and optimisers; the sheet's faces, for export to check on."""
        networks = {name: getattr(self, name).state_dict() for name in _STATE}
        return {**networks, "faces": torch.from_numpy(self._shown)}

    def restore(self, state: dict[str, Any]) -> None:
        """Take them over."""
        for name in _STATE:
            getattr(self, name).load_state_dict(state[name])

    def begin(self, state: dict[str, Any]) -> None:
        """Start from where a run of another recipe ended: its averaged G, and mostly its D."""
        self.g.load_state_dict(state["average"])
        self.average.load_state_dict(state["average"])
        if not self.recipe.procedure.fresh_d:
            self.d.load_state_dict(state["d"])

    @torch.inference_mode()
    def sheet(self) -> Image.Image:
        """A row a face: as it was, then in all seven expressions by the averaged G."""
        x = self.batches.scaled(self._shown)
        rows = [x.cpu()] + [
            self.average(x, torch.eye(CLASSES, device=self.device)[k].expand(len(x), -1)).cpu()
            for k in range(CLASSES)
        ]
        grid = torch.cat([row[:, 0] for row in rows], 2).flatten(0, 1)
        picture = Image.fromarray(to_levels(grid.float().numpy()))
        return picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.NEAREST)


_STATE = ("g", "d", "average", "g_optimizer", "d_optimizer")


def _mean(values: Tensor, chosen: Tensor) -> Tensor:
    """The mean of the values [N] where `chosen` [N] is 1; 0 if it is nowhere."""
    return (values * chosen).sum() / chosen.sum().clamp_min(1)


def _still(network: Classifier, place: torch.device) -> Classifier:
    return network.to(place).eval().requires_grad_(False)


def _prepared(network: N, place: torch.device) -> N:
    return network.to(place).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
