"""Losses of a student and of its discriminators.

Discriminators of pixels compare real faces with results (RpGAN); the one of features has a hinge
loss.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from cctranslate.training.losses.adversarial import d_relativistic, g_relativistic
from cctranslate.training.losses.regularization import gradient_penalty
from cctranslate.training.losses.terms import Terms
from cctranslate.training.networks.student.discriminators import StudentDiscriminators
from cctranslate.training.networks.student.part_discriminators import (
    PARTS,
    DiscriminatorInput,
    PartDiscriminators,
    crop,
)
from cctranslate.training.networks.student.projected_discriminator import (
    Features,
    ProjectedDiscriminator,
)


def d_terms(
    d: StudentDiscriminators,
    real: DiscriminatorInput,
    fake: DiscriminatorInput,
    seen: Features | None,
    step: int,
) -> Terms:
    """Return each discriminator's loss as `d_mouth` and the like.

    `seen` is what `d.see` returns of the fake faces.
    """
    terms = parts_d_terms(d.parts, real, fake)
    if d.features is not None and seen is not None:
        terms["d_features"] = features_d_loss(d.features, real, seen, step)
    return terms


def g_terms(
    d: StudentDiscriminators,
    real: DiscriminatorInput,
    fake: DiscriminatorInput,
    seen: Features | None,
    step: int,
) -> Terms:
    """Return G's adversarial loss for each discriminator, with `seen` as for `d_terms`."""
    terms = parts_g_terms(d.parts, real, fake)
    if d.features is not None and seen is not None:
        terms["features"] = features_g_loss(d.features, seen, fake.classes, step)
    return terms


def parts_d_terms(
    d: PartDiscriminators, real: DiscriminatorInput, fake: DiscriminatorInput
) -> Terms:
    """Return the loss of each part's discriminator as `d_mouth` and the like."""
    of_real, of_fake = d(real), d(fake)
    return {f"d_{name}": d_relativistic(of_real[name], of_fake[name]) for name in of_real}


def parts_g_terms(
    d: PartDiscriminators, real: DiscriminatorInput, fake: DiscriminatorInput
) -> Terms:
    """Return G's adversarial loss for each part's discriminator."""
    of_real, of_fake = d(real), d(fake)
    return {name: g_relativistic(of_real[name], of_fake[name]) for name in of_real}


def penalty(d: PartDiscriminators, faces: DiscriminatorInput) -> Tensor:
    """Return the gradient penalty at these faces, summed over parts."""
    penalties = []
    for name, network in d.networks.items():
        view = crop(faces.x, faces.points, PARTS[name]).detach().requires_grad_()
        penalties.append(gradient_penalty(network(view, faces.classes), view))
    return torch.stack(penalties).sum()


def features_d_loss(
    d: ProjectedDiscriminator, real: DiscriminatorInput, seen: Features, step: int
) -> Tensor:
    """Return the hinge loss of real faces, and of what is seen of fakes of the same expressions."""
    fine, coarse = seen
    of_real = d(d.see(real, step), real.classes, step)
    of_fake = d((fine.detach(), coarse.detach()), real.classes, step)
    judged = zip(of_real, of_fake, strict=True)
    return torch.stack([F.relu(1 - r).mean() + F.relu(1 + f).mean() for r, f in judged]).mean()


def features_g_loss(
    d: ProjectedDiscriminator, seen: Features, classes: Tensor, step: int
) -> Tensor:
    """Return G's adversarial loss for the discriminator of features."""
    return -torch.stack([logits.mean() for logits in d(seen, classes, step)]).mean()
