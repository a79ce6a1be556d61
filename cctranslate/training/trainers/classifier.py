"""The trainer of classifiers and encoders."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.training.data import augment
from cctranslate.training.data.device_cache import DeviceDataset
from cctranslate.training.data.fer2013 import Faces, Splits, without_copies
from cctranslate.training.data.ferplus import Votes, soft_labels
from cctranslate.training.data.sampler import Sampler
from cctranslate.training.device import autocast
from cctranslate.training.losses.terms import Terms
from cctranslate.training.metrics.calibration import calibrate, classifier_figures
from cctranslate.training.networks.classifiers import Classifier, predict_logits
from cctranslate.training.networks.pretrained import resnet50
from cctranslate.training.trainers.ema import ExponentialAverage


class ClassifierTrainer:
    """Trains by SGD with a one-cycle schedule (Smith 2018), with averaged weights."""

    def __init__(
        self,
        recipe: ClassifierRecipe,
        *,
        faces: Faces,
        votes: Votes | None,
        device: torch.device,
        seed: int,
    ) -> None:
        torch.manual_seed(seed)
        labels = soft_labels(faces, votes, recipe.vote_share)
        usable = labels.sum(1) > 0
        self.recipe, self.device = recipe, device
        self.dataset, self.labels = DeviceDataset(faces.images[usable], device), labels[usable]
        self.sampler = Sampler(self.labels.argmax(1), recipe.batch_size, recipe.class_balance, seed)
        network = Classifier(recipe)
        resnet50.start(network, recipe.backbone)
        network = network.to(device)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = ExponentialAverage(self.network, recipe.ema)
        self.optimizer = torch.optim.SGD(
            self.network.parameters(),
            lr=recipe.lr,
            momentum=0.9,
            nesterov=True,
            weight_decay=recipe.weight_decay,
        )

    @property
    def steps_per_epoch(self) -> int:
        """Full batches in one pass over the faces."""
        return self.sampler.steps_per_epoch

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return max(1, round(self.recipe.epochs * self.steps_per_epoch))

    def step(self, step: int) -> Terms:
        """Take a step on the objective's loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.lr * one_cycle(step / self.steps)
        loss, accuracy = _LOSSES[self.recipe.objective](self, step)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.average.update(self.network, step)
        return {"loss": loss.detach(), "accuracy": accuracy}

    def expression_loss(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy and accuracy on augmented, noised, adversarial faces."""
        chosen = self.sampler.batch(step)
        y = torch.from_numpy(self.labels[chosen]).to(self.device)
        x = augment.for_classifier(self.dataset.scaled(chosen))
        logits = self._outputs(self._perturbed(x, y))
        hit = logits.detach().argmax(1) == y.argmax(1)
        return F.cross_entropy(logits, y), hit.float().mean()

    def identity_loss(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the loss and accuracy of matching two views of each face.

        It is SimCLR's NT-Xent (Chen et al. 2020). All faces of a batch have one expression, so that
        expressions do not help in telling them apart.
        """
        drawn = self.sampler.batch(step)
        expression = int(self.sampler.classes[drawn[0]])
        chosen = np.unique(self.sampler.partners(step, np.full(len(drawn), expression)))
        x = self.dataset.scaled(chosen)
        views = torch.cat([augment.for_encoder(x), augment.for_encoder(x)])
        z = F.normalize(self._outputs(views), dim=1)
        similar = (z @ z.T / 0.1).fill_diagonal_(-1e4)
        n = len(chosen)
        other = torch.arange(2 * n, device=self.device).roll(n)
        hit = similar.detach().argmax(1) == other
        return F.cross_entropy(similar, other), hit.float().mean()

    def _outputs(self, x: Tensor) -> Tensor:
        self.network.train()
        with autocast(self.device):
            outputs: Tensor = self.network(x.contiguous(memory_format=torch.channels_last))
        return outputs.float()

    def _perturbed(self, x: Tensor, y: Tensor) -> Tensor:
        """Return faces with noise, and moved by an adversarial step, as the recipe says."""
        recipe = self.recipe
        if recipe.noise:
            x = x + recipe.noise * torch.rand((), device=x.device) * torch.randn_like(x)
        if not recipe.adversarial:
            return x
        # Statistics of the attack's pass must not enter the running averages.
        self.network.eval()
        x = x.requires_grad_()
        with autocast(self.device):
            logits = self.network(x).float()
        (slope,) = torch.autograd.grad(F.cross_entropy(logits, y, reduction="sum"), x)
        unit = slope / slope.flatten(1).norm(dim=1).clamp_min(1e-12)[:, None, None, None]
        reach = recipe.adversarial * torch.rand(len(x), 1, 1, 1, device=x.device)
        return (x + reach * unit).detach()

    def state(self) -> dict[str, Any]:
        """Return weights, averaged weights and the optimizer."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Load a state that `state` returned."""
        self.network.load_state_dict(state["network"])
        self.average.module.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])

    def sheet(self) -> None:
        """Draw nothing: a classifier makes no pictures."""

    def conclude(
        self, splits: Splits, votes: Votes | None, is_over: Callable[[], bool]
    ) -> dict[str, Any] | None:
        """Calibrate and measure the averaged classifier on PublicTest faces, if there are any."""
        network = self.average.module
        assert isinstance(network, Classifier)
        if self.recipe.objective != "expression" or "PublicTest" not in splits:
            return None
        faces = without_copies(splits["PublicTest"], splits["Training"])
        if not len(faces):
            return None
        calibrate(network, faces, votes, self.device)
        logits = predict_logits(network, faces.images, self.device)
        return {"judge": classifier_figures(np.asarray(logits.softmax(1)), faces, votes)}


_LOSSES = {
    "expression": ClassifierTrainer.expression_loss,
    "identity": ClassifierTrainer.identity_loss,
}


def one_cycle(progress: float) -> float:
    """Return the fraction of the peak rate: it rises over a fifth of a run, then falls to 0.

    Unlike with torch's `OneCycleLR`, the rate depends on the step alone, so that there is no
    schedule to restore, and it ends at 0.
    """
    if progress < 0.2:
        return 0.04 + 0.96 * progress / 0.2
    return 0.5 * (1 + math.cos(math.pi * (progress - 0.2) / 0.8))
