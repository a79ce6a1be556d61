"""Training of a student: pairs, discriminators of faces, guides and the face recognizer."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from cctranslate.recipes.student import StudentRecipe
from cctranslate.training.data import augment, face_masks
from cctranslate.training.data.fer2013 import Faces, Splits
from cctranslate.training.data.ferplus import Votes
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.device import autocast
from cctranslate.training.losses import student as losses
from cctranslate.training.losses.gradient_balancer import GradientBalancer
from cctranslate.training.losses.identity import IdentityEncoder, identity_loss
from cctranslate.training.losses.pictures import coarse, edges
from cctranslate.training.losses.regularization import masked_mean, smoothness
from cctranslate.training.losses.teachers import GuideLoss, TeacherNetworks
from cctranslate.training.losses.terms import Terms
from cctranslate.training.networks.pretrained import picture_features
from cctranslate.training.networks.registry import build_generator
from cctranslate.training.networks.student.discriminators import StudentDiscriminators
from cctranslate.training.networks.student.part_discriminators import PARTS
from cctranslate.training.networks.student.projected_discriminator import Features
from cctranslate.training.pairs.anchors import anchors
from cctranslate.training.pairs.batches import PairBatch, PairBatches
from cctranslate.training.pairs.store import Draws
from cctranslate.training.trainers import optimizers
from cctranslate.training.trainers.ema import ExponentialAverage
from cctranslate.training.trainers.sheet import draw_sheet
from cctranslate.training.trainers.step_plan import R1_EVERY

BETAS = (0.0, 0.99)
"""Adam's, of G and of the discriminators."""
GUIDE_EVERY, LIKENESS_EVERY = 2, 4
"""Costly terms are computed once in so many steps, with as many times the weight."""
BALANCE_EVERY = 50
"""Steps between measurements of how strongly the discriminators pull."""
INSIDE = 4.0
"""How many more times a pixel counts where faces show expressions than elsewhere."""
LONGEST_GRADIENT = 5.0
"""Norm that G's gradients are clipped to."""
SHEET_FACES = 14
"""Faces of a sheet: two of each expression."""


class StudentTrainer:
    """Adam steps of the discriminators and of G, with an averaged G."""

    def __init__(
        self,
        recipe: StudentRecipe,
        *,
        faces: Faces,
        votes: Votes | None,
        face_landmarks: Landmarks,
        draws: Draws,
        networks: TeacherNetworks,
        device: torch.device,
        seed: int,
    ) -> None:
        """Take Training faces, their landmarks, the chosen draws of them, guides and recognizer."""
        torch.manual_seed(seed)
        self.recipe, self.device = recipe, device
        recognizer, weights = networks.face_recognizer, asdict(recipe.weights)
        assert recognizer is not None
        recognizer.to(device)
        self.batches = PairBatches(
            recipe,
            faces=faces,
            votes=votes,
            face_landmarks=face_landmarks,
            draws=draws,
            device=device,
            seed=seed,
        )
        self.g = build_generator(recipe.generator).to(device)
        self._anchor = build_generator(recipe.generator).to(device).eval().requires_grad_(False)
        feature_network = picture_features.load().to(device) if weights["features"] else None
        self.d = StudentDiscriminators(recipe.d_widths, feature_network).to(device)
        for network in (self.g, self._anchor, self.d):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = ExponentialAverage(self.g, recipe.ema).eval()
        self.g_optimizer = optimizers.build(self.g.parameters(), recipe.lr, BETAS, device)
        self.d_optimizer = optimizers.build(self.d.parameters(), recipe.d_lr, BETAS, device)
        self._guide = GuideLoss(networks.guides, ()).to(device)
        self._recognizer = IdentityEncoder([recognizer], augment.for_face_recognizer).to(device)
        balanced = (*PARTS, "features") if feature_network else PARTS
        self._balancer = GradientBalancer({name: weights[name] for name in balanced})
        self._strengths = torch.tensor(recipe.strengths, device=device)
        self._sheet_faces = self.batches.spread(SHEET_FACES)

    def start_from(self, g: dict[str, Tensor], d: dict[str, Tensor]) -> None:
        """Start from a generator's weights, and a student's discriminators if there are any.

        Raises:
            RuntimeError: Some are missing besides that of features, or are of other networks.
        """
        for network in (self.g, self.average.module, self._anchor):
            network.load_state_dict(g)
        if d:
            initial = self.d.state_dict()
            fresh = {name: value for name, value in initial.items() if name.startswith("features.")}
            self.d.load_state_dict(fresh | d)

    @property
    def steps_per_epoch(self) -> int:
        """Full batches in one pass over the pairs."""
        return self.batches.steps_per_epoch

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return max(1, round(self.recipe.epochs * self.steps_per_epoch))

    def step(self, step: int) -> Terms:
        """Train the discriminators, then G, on newly drawn pairs."""
        self._set_rate(step)
        batch = self._with_anchors(self.batches.draw(step))
        if self.recipe.turned:
            batch = batch.turned(self.recipe.turned)
        with autocast(self.device):
            edit = self.g.edit(self.g.encode(batch.x), batch.target_labels)
        image = self.g.apply_edit(batch.x, edit, self._strengths[batch.targets])
        with autocast(self.device):
            # Once for both steps: the pretrained network is large.
            seen = self.d.see(batch.discriminator_input(image), step)
        terms = self._step_d(batch, image.detach(), seen, step)
        terms |= self._step_g(batch, image, seen, edit.flow, step)
        self.average.update(self.g, step)
        return {name: value.detach() for name, value in terms.items()}

    def _with_anchors(self, batch: PairBatch) -> PairBatch:
        """Let y be what the initial G makes of faces that have no pair."""
        count = self.batches.unpaired
        if not count:
            return batch
        x, labels, points = (part[-count:] for part in (batch.x, batch.target_labels, batch.points))
        made = anchors(self._anchor, x, labels, points, self._strengths[batch.targets[-count:]])
        y = torch.where(batch.paired[-count:, None, None, None], batch.y[-count:], made)
        return replace(batch, y=torch.cat([batch.y[:-count], y]))

    def _step_d(self, batch: PairBatch, image: Tensor, seen: Features | None, step: int) -> Terms:
        self.d.requires_grad_(True)
        fake = batch.discriminator_input(image)
        with autocast(self.device):
            terms = losses.d_terms(self.d, batch.real, fake, seen, step)
        loss = torch.stack(list(terms.values())).sum()
        if step % R1_EVERY == 0:
            penalties = [losses.penalty(self.d.parts, faces) for faces in (batch.real, fake)]
            loss = loss + R1_EVERY * self.recipe.weights.r1 / 2 * torch.stack(penalties).sum()
        self.d_optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.d_optimizer.step()
        return terms

    def _step_g(
        self, batch: PairBatch, image: Tensor, seen: Features | None, flow: Tensor, step: int
    ) -> Terms:
        self.d.requires_grad_(False)
        weights = asdict(self.recipe.weights)
        mask = face_masks.region_masks(
            batch.points, batch.has_landmarks, face_masks.WHOLE_EXPRESSION
        )
        paired = batch.paired.float()
        difference = ((1 + INSIDE * mask) * (image - batch.y).abs()).mean((1, 2, 3))
        terms = {
            "pair": (paired * difference).mean(),
            "edges": (paired * edges(image, batch.y)).mean(),
            "smoothness": smoothness(flow),
        }
        if self.batches.unpaired:
            terms["coarse"] = ((1 - paired) * coarse(image, batch.y, mask)).mean()
        with autocast(self.device):
            fake = batch.discriminator_input(image)
            judged = losses.g_terms(self.d, batch.real, fake, seen, step)
            if step % GUIDE_EVERY == 0:
                weights["guide"] *= GUIDE_EVERY
                terms["guide"] = masked_mean(self._guide(image, batch.targets), batch.guided)
        if step % LIKENESS_EVERY == 0:
            weights["likeness"] *= LIKENESS_EVERY
            terms["likeness"] = identity_loss(*self._recognizer(batch.x, image))
        if step % BALANCE_EVERY == 0:
            self._balancer.update(image, weights["pair"] * terms["pair"], judged)
        # Untrained discriminators have no useful gradient: their weights rise slowly.
        ramp = min(1.0, step / self.recipe.warm_up)
        weights |= {name: ramp * weight for name, weight in self._balancer.weights.items()}
        terms |= judged
        loss = torch.stack([weights[name] * value for name, value in terms.items()]).sum()
        self.g_optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.g.parameters(), LONGEST_GRADIENT)
        self.g_optimizer.step()
        return terms

    def _set_rate(self, step: int) -> None:
        """Raise G's rate at first, and let it fall to zero over the second half of the run."""
        rate = self.recipe.lr * optimizers.half_cosine(step / self.steps)
        optimizers.set_rate(self.g_optimizer, rate * min(1.0, (step + 1) / self.recipe.warm_up))

    def state(self) -> dict[str, Any]:
        """Return networks, average, optimizers and weights, and the faces that export checks."""
        return {
            "g": self.g.state_dict(),
            "d": self.d.state_dict(),
            "average": self.average.module.state_dict(),
            "g_optimizer": self.g_optimizer.state_dict(),
            "d_optimizer": self.d_optimizer.state_dict(),
            "d_weights": self._balancer.weights,
            "faces": torch.from_numpy(self._sheet_faces),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state that `state` returned."""
        self.g.load_state_dict(state["g"])
        self.d.load_state_dict(state["d"])
        self.average.module.load_state_dict(state["average"])
        self._balancer.weights = dict(state["d_weights"])
        optimizers.restore(self.g_optimizer, state["g_optimizer"])
        optimizers.restore(self.d_optimizer, state["d_optimizer"])

    def conclude(self, splits: Splits, votes: Votes | None, is_over: Callable[[], bool]) -> None:
        """Measure nothing: `evaluate` does, by way of a bundle."""

    def sheet(self) -> Image.Image:
        """Draw a row a face: as it was, then in all seven expressions by the averaged G."""
        return draw_sheet(self.average, self._sheet_faces, self.device)
