"""What frozen networks teach G, against plain definitions."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cctranslate.recipes.classifiers import ENCODER_PLAIN
from cctranslate.recipes.components import Weights, derive
from cctranslate.recipes.flow import FLOW
from cctranslate.training.data import device_cache
from cctranslate.training.data.batches import Batch
from cctranslate.training.losses.identity import FORGET
from cctranslate.training.losses.teachers import TeacherNetworks, Teachers, guide_loss
from cctranslate.training.networks.classifiers import Classifier
from cctranslate.training.networks.pretrained import face_recognizer
from tests.support import pictures

N = 24
CPU = torch.device("cpu")
ENCODER = derive(ENCODER_PLAIN, widths=(8, 8, 8))
PROCEDURE = FLOW.final_recipe.procedure


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
    weights = Weights(identity=1.0, drift=1.0)
    return Teachers(TeacherNetworks(encoders=encoders), PROCEDURE, weights, CPU)


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
    teachers.drift.update(batch, before, after)
    drift = teachers.drift(batch, before, after)
    plain = off(batch, before, after).square().sum((1, 2)).mean() / 7
    assert drift.item() == pytest.approx(plain.item(), rel=1e-5)
    (gradient,) = torch.autograd.grad(drift, after)
    (expected,) = torch.autograd.grad(plain, after)
    torch.testing.assert_close(gradient, expected)


def test_drift_remembers_earlier_batches(teachers: Teachers) -> None:
    first, second = a_batch(), a_batch()
    zs = [(unit(2, N, 128), unit(2, N, 128)) for _ in range(2)]
    teachers.drift.update(first, *zs[0])
    teachers.drift.update(second, *zs[1])
    drift = teachers.drift(second, *zs[1])
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
    networks = TeacherNetworks(encoders=(Pixels(ENCODER),))
    teachers = Teachers(networks, PROCEDURE, Weights(identity=1.0), CPU)
    same = teachers.identity(batch, batch.x, batch.x)
    assert same["identity"].item() == pytest.approx(0, abs=1e-4)
    assert teachers.identity(batch, batch.x, batch.x.flip(0))["identity"] > 0.3


def test_only_the_face_recognizer_terms_with_a_weight_are_computed() -> None:
    batch, weights = a_batch(), Weights(likeness=1.0, likeness_drift=1.0, likeness_frechet=1.0)
    faces = device_cache.scaled(torch.from_numpy(np.stack(pictures.people()))).repeat(2, 1, 1, 1)
    batch = replace(batch, x=faces)
    networks = TeacherNetworks(face_recognizer=face_recognizer.load())
    teachers = Teachers(networks, PROCEDURE, weights, CPU)
    assert teachers.see_identity
    same = teachers.identity(batch, batch.x, batch.x)
    assert same.keys() == {"likeness", "likeness_drift", "likeness_frechet"}
    assert same["likeness"].item() == pytest.approx(0, abs=1e-4)
    fake = batch.x.flip(0).requires_grad_()
    other = teachers.identity(batch, batch.x, fake)
    assert other["likeness"] > 0.6
    (gradient,) = torch.autograd.grad(other["likeness"] + other["likeness_drift"], fake)
    assert gradient.abs().sum() > 0


def test_a_state_holds_the_running_statistics_and_no_frozen_network(teachers: Teachers) -> None:
    batch = a_batch()
    teachers.drift.update(batch, unit(2, N, 128), unit(2, N, 128))
    state = teachers.state()
    assert state.keys() == {
        f"drift.{means}.{part}" for means in ("moved", "real") for part in ("sums", "counts")
    }
    former = {name.replace("drift.", "encoders."): value for name, value in state.items()}
    networks = TeacherNetworks(encoders=(Classifier(ENCODER), Classifier(ENCODER)))
    for given in (state, former | {"recogniser.real.counts": torch.zeros(7)}):
        again = Teachers(networks, PROCEDURE, Weights(identity=1.0, drift=1.0), CPU)
        again.restore(given)
        assert all(torch.equal(again.state()[name], value) for name, value in state.items())
    with pytest.raises(KeyError):
        again.restore({})


def test_a_guide_that_is_sure_enough_has_no_gradient() -> None:
    share = torch.tensor([0.1 / 7] * 7)
    share[2] += 0.9
    logits = share.log()[None].requires_grad_()
    guide_loss(logits, torch.tensor([2])).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad.abs().max() < 1e-6
