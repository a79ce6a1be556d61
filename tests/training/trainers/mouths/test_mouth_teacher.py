"""Steps of the training of a teacher of mouths, on a small network and drawn faces."""

import io

import numpy as np
import pytest
import torch

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.recipes.components import derive
from cctranslate.recipes.teacher import MOUTH_TEACHER
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.trainers.mouths.teacher import MouthTeacherTrainer
from tests.support import pictures

COUNT = 28
SMALL = derive(MOUTH_TEACHER, widths=(8, 16, 16), embedding=32, batch_size=8)


def make() -> MouthTeacherTrainer:
    points = np.tile(TEMPLATE.astype(np.float32), (COUNT, 1, 1))
    embeddings = np.random.default_rng(0).normal(0, 0.09, (COUNT, 128)).astype(np.float32)
    return MouthTeacherTrainer(
        SMALL,
        faces=pictures.drawn_faces([i % 7 for i in range(COUNT)]),
        votes=None,
        face_landmarks=Landmarks(points=points, has_landmarks=np.arange(COUNT) % 4 > 0),
        embeddings=embeddings,
        device=torch.device("cpu"),
        seed=0,
    )


def train(trainer: MouthTeacherTrainer, steps: range) -> list[float]:
    losses = []
    for step in steps:
        torch.manual_seed(step)
        losses.append(float(trainer.step(step)["loss"]))
    return losses


def test_only_faces_whose_mouth_was_found_are_learned() -> None:
    trainer = make()
    assert len(trainer._labels) == COUNT * 3 // 4
    assert trainer.steps_per_epoch == COUNT * 3 // 4 // SMALL.batch_size


def test_it_sees_the_skin_about_the_mouth_and_nothing_of_the_mouth() -> None:
    trainer = make()
    torch.manual_seed(0)
    batch = trainer._draw(0)
    torch.manual_seed(1)
    x, shown = trainer._shown(batch)
    assert x.shape == shown.mask.shape == (SMALL.batch_size, 1, 24, 32)
    assert float(shown.visible[shown.mask == 1].abs().max()) == 0
    torch.testing.assert_close(shown.visible[shown.mask == 0], x[shown.mask == 0])
    assert float(shown.eyes_mask.max()) == 0
    assert len({mask.sum().item() for mask in shown.mask}) > 1  # masks differ in size


def test_the_loss_falls() -> None:
    losses = train(make(), range(60))
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])


def test_it_starts_from_a_teachers_weights_and_refuses_others() -> None:
    trainer, teacher = make(), make()
    with torch.no_grad():
        teacher.network.stem.weight.add_(1)
    trainer.start_from(teacher.network.state_dict())
    assert torch.equal(trainer.network.stem.weight, teacher.network.stem.weight)
    average = trainer.average.module.state_dict()
    assert torch.equal(average["stem.weight"], teacher.network.stem.weight)
    with pytest.raises(RuntimeError):
        trainer.start_from({})


def test_a_restored_trainer_goes_on_exactly() -> None:
    whole = make()
    train(whole, range(2))
    file = io.BytesIO()
    torch.save(whole.state(), file)
    file.seek(0)
    again = make()
    again.restore(torch.load(file, weights_only=True))
    assert train(again, range(2, 4)) == train(whole, range(2, 4))


def test_a_sheet_has_a_row_for_the_mouths_and_one_for_each_expression() -> None:
    assert make().sheet().size == (5 * 32 * 2, 8 * 24 * 2)
