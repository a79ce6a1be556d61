"""Steps of the teacher's training, on a small network and drawn faces."""

import io
from typing import Any

import numpy as np
import pytest
import torch

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.recipes.components import derive
from cctranslate.recipes.teacher import TEACHER
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.trainers.flow_matching import FlowMatchingTrainer
from tests.support import pictures

COUNT = 28
SMALL = derive(TEACHER, widths=(8, 16, 16), embedding=32, batch_size=8)


def make(**changes: Any) -> FlowMatchingTrainer:
    faces = pictures.drawn_faces([i % 7 for i in range(COUNT)])
    points = np.tile(TEMPLATE.astype(np.float32), (COUNT, 1, 1))
    embeddings = np.random.default_rng(0).normal(0, 0.09, (COUNT, 128)).astype(np.float32)
    return FlowMatchingTrainer(
        derive(SMALL, **changes),
        faces=faces,
        votes=None,
        face_landmarks=Landmarks(points=points, has_landmarks=np.arange(COUNT) % 3 > 0),
        embeddings=embeddings,
        device=torch.device("cpu"),
        seed=0,
    )


def train(trainer: FlowMatchingTrainer, steps: range) -> list[float]:
    losses = []
    for step in steps:
        torch.manual_seed(step)
        losses.append(float(trainer.step(step)["loss"]))
    return losses


def test_a_restored_trainer_goes_on_exactly() -> None:
    whole = make()
    train(whole, range(2))
    file = io.BytesIO()
    torch.save(whole.state(), file)
    file.seek(0)
    again = make()
    again.restore(torch.load(file, weights_only=True))
    assert train(again, range(2, 5)) == train(whole, range(2, 5))
    there, here = whole.state(), again.state()
    for name in ("network", "average"):
        assert all(torch.equal(there[name][key], here[name][key]) for key in there[name])


def test_a_step_moves_every_weight_that_can_learn_at_once() -> None:
    """Layers that begin as nothing hide the others from the first gradient, but not for long."""
    trainer = make(drop_label=0.5, drop_identity=0.5)
    before = {name: p.detach().clone() for name, p in trainer.network.named_parameters()}
    train(trainer, range(4))
    still = [n for n, p in trainer.network.named_parameters() if torch.equal(p, before[n])]
    assert not still


def test_the_loss_falls() -> None:
    losses = train(make(), range(60))
    assert np.isfinite(losses).all()
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])


def test_learning_rates_rise_hold_and_fall_with_the_square_root() -> None:
    trainer = make(lr_hold=100)
    rates = []
    for step in (0, 49, 100, 400):
        trainer._set_rates(step)
        rates.append((trainer.muon.param_groups[0]["lr"], trainer.adam.param_groups[0]["lr"]))
    factors = [0.02, 1, 1, 0.5]
    assert rates == [
        (pytest.approx(SMALL.lr * f), pytest.approx(SMALL.adam_lr * f)) for f in factors
    ]


def test_no_embedding_tells_the_expression_to_the_network() -> None:
    trainer = make()
    labels = trainer._labels - trainer._labels.mean(0)
    assert float((trainer._identity.T @ labels).abs().max()) < 1e-3


def test_a_sheet_has_a_row_for_the_faces_and_one_for_each_expression() -> None:
    assert make().sheet().size == (5 * 48 * 2, 8 * 48 * 2)
