"""What frozen networks teach G, against plain definitions."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cctranslate.recipes.classifiers import ENCODER_PLAIN
from cctranslate.recipes.flow import FLOW
from cctranslate.recipes.spec import Weights, derive
from cctranslate.training.data import device_cache
from cctranslate.training.data.batches import Batch
from cctranslate.training.losses.identity import FORGET
from cctranslate.training.losses.teachers import TeacherNetworks, Teachers
from cctranslate.training.networks import face_recognizer
from cctranslate.training.networks.classifiers import Classifier
from tests.support import pictures

N = 24
CPU = torch.device("cpu")
ENCODER = derive(ENCODER_PLAIN, widths=(8, 8, 8))
PROCEDURE = FLOW.procedure


def a_batch() -> Batch:
    classes = torch.arange(N) % 7
    x = torch.rand(N, 1, 48, 48) * 2 - 1
    labels = F.one_hot(classes, 7).float()
    return Batch(
        x=x,
        classes=classes,
        labels=labels,
        source=torch.arange(N),
        targets=torch.randint(7, (N,)),
        real=x,
        real_classes=classes,
        real_labels=labels,
    )


@pytest.fixture
def teachers() -> Teachers:
    torch.manual_seed(0)
    encoders = (Classifier(ENCODER).eval(), Classifier(ENCODER).eval())
    return Teachers(TeacherNetworks(encoders=encoders), PROCEDURE, CPU)


def unit(*size: int) -> Tensor:
    return F.normalize(torch.randn(*size), dim=-1)


def off(batch: Batch, before: Tensor, after: Tensor) -> Tensor:
    """How far each target's translations lie from where real faces of it do [E,7,128]."""
    rows = F.one_hot(batch.targets, 7).float()
    moved = torch.einsum("nk,end->ekd", rows, after - before) / rows.sum(0)[:, None]
    of_class = torch.einsum("nk,end->ekd", batch.labels, before) / batch.labels.sum(0)[:, None]
    return moved - (of_class - before.mean(1, keepdim=True))


def test_drift_and_its_gradient_are_the_squared_distance_of_the_means(teachers: Teachers) -> None:
    batch, before = a_batch(), unit(2, N, 128)
    after = (before + 0.1 * torch.randn_like(before)).requires_grad_()
    drift = teachers.encoders.drift(batch, before, after)
    plain = off(batch, before, after).square().sum((1, 2)).mean() / 7
    assert drift.item() == pytest.approx(plain.item(), rel=1e-5)
    (gradient,) = torch.autograd.grad(drift, after)
    (expected,) = torch.autograd.grad(plain, after)
    torch.testing.assert_close(gradient, expected)


def test_drift_remembers_earlier_batches(teachers: Teachers) -> None:
    first, second = a_batch(), a_batch()
    zs = [(unit(2, N, 128), unit(2, N, 128)) for _ in range(2)]
    teachers.encoders.drift(first, *zs[0])
    drift = teachers.encoders.drift(second, *zs[1])
    old = 1 - FORGET
    both = Batch(
        **{name: torch.cat([value, getattr(second, name)]) for name, value in vars(first).items()}
    )
    before, after = (torch.cat([a, b], 1) for a, b in zip(*zs, strict=True))
    weight = torch.cat([torch.full((N,), old), torch.ones(N)])
    rows = F.one_hot(both.targets, 7).float() * weight[:, None]
    labels = both.labels * weight[:, None]
    moved = torch.einsum("nk,end->ekd", rows, after - before) / rows.sum(0).clamp_min(1)[:, None]
    of_class = torch.einsum("nk,end->ekd", labels, before) / labels.sum(0)[:, None]
    mean = torch.einsum("n,end->ed", weight, before)[:, None] / weight.sum()
    plain = (moved - (of_class - mean)).square().sum((1, 2)).mean() / 7
    assert drift.item() == pytest.approx(plain.item(), rel=1e-4)


class Pixels(Classifier):
    """Tells any two faces apart, which an encoder does only once it is trained."""

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, (3, 6)).flatten(1)


def test_a_face_that_stays_as_it_was_is_the_same_person() -> None:
    batch = a_batch()
    teachers = Teachers(TeacherNetworks(encoders=(Pixels(ENCODER),)), PROCEDURE, CPU)
    same = teachers.person(batch, batch.x, batch.x, Weights())
    assert same["identity"].item() == pytest.approx(0, abs=1e-4)
    assert teachers.person(batch, batch.x, batch.x.flip(0), Weights())["identity"] > 0.3


def test_only_the_face_recognizer_terms_with_a_weight_are_computed() -> None:
    batch, asked = a_batch(), Weights(likeness=1.0, likeness_drift=1.0, likeness_frechet=1.0)
    faces = device_cache.scaled(torch.from_numpy(np.stack(pictures.people()))).repeat(2, 1, 1, 1)
    batch = replace(batch, x=faces)
    teachers = Teachers(TeacherNetworks(face_recognizer=face_recognizer.load()), PROCEDURE, CPU)
    assert teachers.know_people
    same = teachers.person(batch, batch.x, batch.x, asked)
    assert same.keys() == {"likeness", "likeness_drift", "likeness_frechet"}
    assert same["likeness"].item() == pytest.approx(0, abs=1e-4)
    fake = batch.x.flip(0).requires_grad_()
    other = teachers.person(batch, batch.x, fake, asked)
    assert other["likeness"] > 0.6
    (gradient,) = torch.autograd.grad(other["likeness"] + other["likeness_drift"], fake)
    assert gradient.abs().sum() > 0
    assert not any(name.startswith("face_recognizer.layers") for name in teachers.state_dict())
