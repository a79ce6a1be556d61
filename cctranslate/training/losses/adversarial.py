"""Adversarial and class losses of D and G, computed from D's outputs."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cctranslate.recipes.components import AdversarialLoss, ClassLoss, Procedure, Weights
from cctranslate.training.losses.terms import Terms
from cctranslate.training.networks.discriminators import DiscriminatorOutput


def _bce(logits: Tensor, target: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def d_bce(real: Tensor, fake: Tensor) -> Tensor:
    """Return the cross-entropy over reals and fakes in one batch, as the original does."""
    targets = torch.cat([torch.ones_like(real), torch.zeros_like(fake)])
    return F.binary_cross_entropy_with_logits(torch.cat([real, fake]), targets)


def g_bce(real: Tensor, fake: Tensor) -> Tensor:
    """Return the non-saturating loss (Goodfellow et al. 2014)."""
    return _bce(fake, 1.0)


def d_least_squares(real: Tensor, fake: Tensor) -> Tensor:
    """Return D's least-squares loss (Mao et al. 2017)."""
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def g_least_squares(real: Tensor, fake: Tensor) -> Tensor:
    """Return G's least-squares loss (Mao et al. 2017)."""
    return (fake - 1).square().mean()


def d_relativistic(real: Tensor, fake: Tensor) -> Tensor:
    """Return D's loss on pairs of a real and a fake of one class (RpGAN; R3GAN, Huang 2024)."""
    return F.softplus(fake - real).mean()


def g_relativistic(real: Tensor, fake: Tensor) -> Tensor:
    """Return G's loss on the same pairs."""
    return F.softplus(real - fake).mean()


Adversarial = Callable[[Tensor, Tensor], Tensor]
D_ADVERSARIAL: dict[AdversarialLoss, Adversarial] = {
    "bce": d_bce,
    "least-squares": d_least_squares,
    "relativistic": d_relativistic,
}
G_ADVERSARIAL: dict[AdversarialLoss, Adversarial] = {
    "bce": g_bce,
    "least-squares": g_least_squares,
    "relativistic": g_relativistic,
}


def d_refusal(kind: AdversarialLoss, logits: Tensor) -> Tensor:
    """Return D's loss on real faces with a wrong label, which it must reject."""
    return logits.square().mean() if kind == "least-squares" else _bce(logits, 0.0)


def d_class(real: Tensor, labels: Tensor, fake: Tensor, fake_classes: Tensor) -> Tensor:
    """Return the loss of a sigmoid class head: labels [N,7] on reals, zeros on fakes (T22)."""
    targets = torch.cat([labels, torch.zeros_like(fake)])
    return F.binary_cross_entropy_with_logits(torch.cat([real, fake]), targets)


def g_class(fake: Tensor, classes: Tensor) -> Tensor:
    """Return the cross-entropy on sigmoids made to sum to one, as Keras does it (T21 to T26)."""
    log_p = F.logsigmoid(fake)
    return (log_p.logsumexp(1) - log_p.gather(1, classes[:, None])[:, 0]).mean()


def d_class_sigmoid(real: Tensor, labels: Tensor, fake: Tensor, fake_classes: Tensor) -> Tensor:
    """Return the loss of a sigmoid class head: labels on reals, the targets on fakes (T21)."""
    targets = torch.cat([labels, F.one_hot(fake_classes, labels.shape[1]).to(labels.dtype)])
    return F.binary_cross_entropy_with_logits(torch.cat([real, fake]), targets)


def d_class_softmax(real: Tensor, labels: Tensor, fake: Tensor, fake_classes: Tensor) -> Tensor:
    """Return the loss of a softmax class head: labels on reals, the targets on fakes (T17)."""
    targets = torch.cat([labels, F.one_hot(fake_classes, labels.shape[1]).to(labels.dtype)])
    return F.cross_entropy(torch.cat([real, fake]), targets)


def d_class_fake(real: Tensor, labels: Tensor, fake: Tensor, fake_classes: Tensor) -> Tensor:
    """Return the loss of a softmax over eight: fakes are the eighth class (the code of T9)."""
    eighth = torch.full_like(fake_classes, labels.shape[1])
    return F.cross_entropy(real, F.pad(labels, (0, 1))) + F.cross_entropy(fake, eighth)


D_CLASS: dict[ClassLoss, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {
    "zeros": d_class,
    "sigmoid": d_class_sigmoid,
    "softmax": d_class_softmax,
    "fake-class": d_class_fake,
}
G_CLASS: dict[ClassLoss, Callable[[Tensor, Tensor], Tensor]] = {
    "zeros": g_class,
    "sigmoid": g_class,
    "softmax": F.cross_entropy,
    "fake-class": F.cross_entropy,
}


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """D's outputs for reals and fakes, with their classes [N] and the reals' label rows [N,7]."""

    real: DiscriminatorOutput
    fake: DiscriminatorOutput
    real_classes: Tensor
    fake_classes: Tensor
    real_labels: Tensor

    def realness(self) -> tuple[Tensor, Tensor]:
        """Return the logits of being real: of reals, then of fakes."""
        return self.real.realness(self.real_classes), self.fake.realness(self.fake_classes)


class DiscriminatorLoss(nn.Module):
    """D's terms: real against fake, its class head, and reals under wrong labels."""

    def __init__(self, procedure: Procedure) -> None:
        super().__init__()
        self._kind = procedure.adversarial
        self._adversarial = D_ADVERSARIAL[procedure.adversarial]
        self._classes = D_CLASS[procedure.classes]

    def forward(self, pairs: Pairs, refused: Tensor | None = None) -> Terms:
        """Return the terms; `refused` are D's logits of reals with wrong labels."""
        terms = {"d_adversarial": self._adversarial(*pairs.realness())}
        if pairs.real.expression is not None and pairs.fake.expression is not None:
            terms["d_class"] = self._classes(
                pairs.real.expression, pairs.real_labels, pairs.fake.expression, pairs.fake_classes
            )
        if refused is not None:
            terms["d_mismatch"] = d_refusal(self._kind, refused)
        return terms


class GeneratorLoss(nn.Module):
    """G's terms that depend on D's outputs."""

    def __init__(self, procedure: Procedure, weights: Weights) -> None:
        super().__init__()
        self._adversarial = G_ADVERSARIAL[procedure.adversarial]
        self._classes = G_CLASS[procedure.classes]
        self._weights = weights

    def forward(self, pairs: Pairs) -> Terms:
        """Return the terms for fakes that look real to D and show their target."""
        terms = {"adversarial": self._adversarial(*pairs.realness())}
        if self._weights.classification > 0 and pairs.fake.expression is not None:
            terms["classification"] = self._classes(pairs.fake.expression, pairs.fake_classes)
        return terms


@torch.no_grad()
def d_accuracy(kind: AdversarialLoss, pairs: Pairs) -> Tensor:
    """Return the fraction of reals and fakes that D gets right; of pairs, if it compares pairs."""
    real, fake = pairs.realness()
    if kind == "relativistic":
        return (real > fake).float().mean()
    threshold = 0.5 if kind == "least-squares" else 0.0
    return ((real > threshold).float().mean() + (fake <= threshold).float().mean()) / 2
