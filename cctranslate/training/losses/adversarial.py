"""The terms of the objective, then D's and G's total."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from cctranslate.recipes.spec import AdversarialLoss, ClassLoss, Weights
from cctranslate.training.networks.discriminators import DiscriminatorOutput

Terms = dict[str, Tensor]
"""Unweighted terms by name, to log."""
EYES, EYES_SPREAD = 0.35, 0.11
"""How far down a picture eyes and brows lie, on average and by standard deviation, in heights."""


def _bce(logits: Tensor, target: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def d_bce(real: Tensor, fake: Tensor) -> Tensor:
    """Cross-entropy, averaged over reals and fakes together as the seed's one batch was."""
    targets = torch.cat([torch.ones_like(real), torch.zeros_like(fake)])
    return F.binary_cross_entropy_with_logits(torch.cat([real, fake]), targets)


def g_bce(real: Tensor, fake: Tensor) -> Tensor:
    """The non-saturating loss (Goodfellow et al. 2014)."""
    return _bce(fake, 1.0)


def d_least_squares(real: Tensor, fake: Tensor) -> Tensor:
    """Least squares (Mao et al. 2017)."""
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def g_least_squares(real: Tensor, fake: Tensor) -> Tensor:
    """Least squares (Mao et al. 2017)."""
    return (fake - 1).square().mean()


def d_relativistic(real: Tensor, fake: Tensor) -> Tensor:
    """Each real against a fake of its class (RpGAN; Huang et al. 2024, R3GAN)."""
    return F.softplus(fake - real).mean()


def g_relativistic(real: Tensor, fake: Tensor) -> Tensor:
    """The same pairs the other way round."""
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
    """What D loses on faces that it should refuse though they are real."""
    return logits.square().mean() if kind == "least-squares" else _bce(logits, 0.0)


def d_class(real: Tensor, labels: Tensor, fake: Tensor, fake_classes: Tensor) -> Tensor:
    """Sigmoid class head: labels [N,7] on reals, zeros on fakes (T21, T22)."""
    targets = torch.cat([labels, torch.zeros_like(fake)])
    return F.binary_cross_entropy_with_logits(torch.cat([real, fake]), targets)


def g_class(fake: Tensor, classes: Tensor) -> Tensor:
    """Categorical cross-entropy on sigmoids made to sum to one, as Keras does it (T21 to T26)."""
    log_p = F.logsigmoid(fake)
    return (log_p.logsumexp(1) - log_p.gather(1, classes[:, None])[:, 0]).mean()


def d_class_sigmoid(real: Tensor, labels: Tensor, fake: Tensor, fake_classes: Tensor) -> Tensor:
    """Sigmoid class head: labels [N,7] on reals, the targets on fakes (T21)."""
    targets = torch.cat([labels, F.one_hot(fake_classes, labels.shape[1]).to(labels.dtype)])
    return F.binary_cross_entropy_with_logits(torch.cat([real, fake]), targets)


def d_class_softmax(real: Tensor, labels: Tensor, fake: Tensor, fake_classes: Tensor) -> Tensor:
    """Softmax class head: labels [N,7] on reals, the targets on fakes (T17)."""
    targets = torch.cat([labels, F.one_hot(fake_classes, labels.shape[1]).to(labels.dtype)])
    return F.cross_entropy(torch.cat([real, fake]), targets)


def d_class_fake(real: Tensor, labels: Tensor, fake: Tensor, fake_classes: Tensor) -> Tensor:
    """Softmax over eight: labels [N,7] on reals, the eighth on fakes (the code of T9)."""
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


def gradient_penalty(logits: Tensor, images: Tensor) -> Tensor:
    """Mean squared norm of the logits' gradient at `images` (R1, R2; Mescheder et al. 2018)."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()


def guide_loss(logits: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy [N] smoothed by a tenth: a guide that is sure enough asks for nothing more."""
    return F.cross_entropy(logits, classes, label_smoothing=0.1, reduction="none")


def smoothness(field: Tensor) -> Tensor:
    """Mean squared difference of neighbouring places of a field [N,C,H,W]."""
    dx = field[..., :, 1:] - field[..., :, :-1]
    dy = field[..., 1:, :] - field[..., :-1, :]
    return dx.square().mean() + dy.square().mean()


def total(terms: Terms, weights: dict[str, float]) -> Tensor:
    """The weighted sum of the terms."""
    return torch.stack([weights[name] * value for name, value in terms.items()]).sum()


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """What D says of reals and fakes; classes [N] and label rows [N,7] where they are needed."""

    real: DiscriminatorOutput
    fake: DiscriminatorOutput
    real_classes: Tensor
    fake_classes: Tensor
    real_labels: Tensor


def d_terms(kind: AdversarialLoss, weights: Weights, pairs: Pairs, classes: ClassLoss) -> Terms:
    """D's terms that its weights ask for."""
    real = pairs.real.realness(pairs.real_classes)
    fake = pairs.fake.realness(pairs.fake_classes)
    terms = {"d_adversarial": D_ADVERSARIAL[kind](real, fake)}
    if pairs.real.expression is not None and pairs.fake.expression is not None:
        terms["d_class"] = D_CLASS[classes](
            pairs.real.expression, pairs.real_labels, pairs.fake.expression, pairs.fake_classes
        )
    return terms


@torch.no_grad()
def d_accuracy(kind: AdversarialLoss, pairs: Pairs) -> Tensor:
    """Share of reals and fakes, each half of it, that D tells right; of pairs, if it sees pairs."""
    real = pairs.real.realness(pairs.real_classes)
    fake = pairs.fake.realness(pairs.fake_classes)
    if kind == "relativistic":
        return (real > fake).float().mean()
    bar = 0.5 if kind == "least-squares" else 0.0
    return ((real > bar).float().mean() + (fake <= bar).float().mean()) / 2


def g_terms(kind: AdversarialLoss, weights: Weights, pairs: Pairs, classes: ClassLoss) -> Terms:
    """G's terms that D's verdicts give."""
    real = pairs.real.realness(pairs.real_classes)
    fake = pairs.fake.realness(pairs.fake_classes)
    terms = {"adversarial": G_ADVERSARIAL[kind](real, fake)}
    if weights.classification > 0 and pairs.fake.expression is not None:
        terms["classification"] = G_CLASS[classes](pairs.fake.expression, pairs.fake_classes)
    return terms


def change_terms(weights: Weights, fake: Tensor, source: Tensor, own: Tensor) -> Terms:
    """What changing faces [N,1,48,48] costs; `own` [N] is 1 where they keep their expression."""
    terms: Terms = {}
    if weights.change:
        terms["change"] = F.mse_loss(fake, source)
    if weights.eyes:
        terms["eyes"] = change_about_the_eyes(fake, source)
    if weights.own:
        terms["own"] = mean_of((fake - source).abs().mean((1, 2, 3)), own)
    return terms


def mean_of(values: Tensor, chosen: Tensor) -> Tensor:
    """The mean of the values [N] where `chosen` [N] is 1; 0 if it is nowhere."""
    return (values * chosen).sum() / chosen.sum().clamp_min(1)


def change_about_the_eyes(fake: Tensor, source: Tensor) -> Tensor:
    """Mean square of the change [N,1,48,48], weighed by how near a row is to that of the eyes."""
    rows = torch.arange(fake.shape[-2], device=fake.device, dtype=torch.float32)
    near = torch.exp(-0.5 * ((rows / fake.shape[-2] - EYES) / EYES_SPREAD) ** 2)
    return ((fake - source).square() * near[:, None]).mean()
