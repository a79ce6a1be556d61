"""Steps of a student's training, on a few pairs of drawn faces."""

import io

import numpy as np
import pytest
import torch

from cctranslate.errors import RunError
from cctranslate.recipes.student import STUDENT, StudentRecipe
from cctranslate.training.networks.registry import build_generator
from cctranslate.training.trainers.student import StudentTrainer
from tests.support.students import BRIGHTER, COUNT, FIRST, SECOND, draws, make, train


@pytest.fixture
def trainer() -> StudentTrainer:
    return make()


def test_a_batch_has_the_surest_result_of_a_face_and_its_target(trainer: StudentTrainer) -> None:
    seen = []
    for step in range(8):
        torch.manual_seed(step)
        batch = trainer.batches.draw(step)
        same = (batch.x == batch.y).all(3).all(2)[:, 0]
        brighter = (batch.x + BRIGHTER / 127.5).clamp(max=1)
        changed = torch.isclose(batch.y, brighter, atol=1e-4).all(3).all(2)[:, 0]
        assert (same | changed).all()  # never the noise
        assert (batch.guided.bool() == (~same & batch.has_landmarks)).all()
        assert batch.real.classes.tolist() == batch.targets.tolist()
        seen += [same, changed]
    assert torch.cat(seen[::2]).any()
    assert torch.cat(seen[1::2]).any()


def test_landmarks_are_mirrored_with_their_faces(trainer: StudentTrainer) -> None:
    points = trainer.batches._points
    points[:, :, 0] -= 3  # off the middle, so that the sides differ
    torch.manual_seed(0)
    batch = trainer.batches.draw(0)
    there = batch.points[:, 2, 0]
    assert set(there.round(decimals=1).tolist()) == {20.5, 26.5}
    assert (batch.points[:, 0, 0] < batch.points[:, 1, 0]).all()


def test_costly_terms_alternate_and_discriminators_come_in_slowly(trainer: StudentTrainer) -> None:
    terms = train(trainer, range(5))
    always = {"pair", "edges", "smoothness", *("whole", "mouth", "eyes")}
    always |= {"d_whole", "d_mouth", "d_eyes"}
    assert all(always <= term.keys() for term in terms)
    assert [term.keys() - always for term in terms] == [
        {"guide", "likeness"},
        set(),
        {"guide"},
        set(),
        {"guide", "likeness"},
    ]


@pytest.mark.parametrize("recipe", [FIRST, SECOND], ids=["first", "second"])
def test_a_restored_trainer_goes_on_exactly(recipe: StudentRecipe) -> None:
    before, trainer, again = make(recipe), make(recipe), make(recipe)
    for each in (trainer, again):
        each.start_from(before.g.state_dict(), before.d.state_dict())
    train(trainer, range(3))
    file = io.BytesIO()
    torch.save(trainer.state(), file)
    file.seek(0)
    again.restore(torch.load(file, weights_only=True))
    assert train(again, range(3, 6)) == train(trainer, range(3, 6))
    there, here = trainer.state(), again.state()
    for name in ("g", "d", "average"):
        assert all(torch.equal(there[name][key], here[name][key]) for key in there[name])


def test_it_begins_as_the_translator_before_it(trainer: StudentTrainer) -> None:
    torch.manual_seed(5)
    before = build_generator(STUDENT.generator)
    trainer.start_from(before.state_dict(), {})
    x, label = torch.rand(2, 1, 48, 48), torch.eye(7)[[1, 2]]
    torch.testing.assert_close(trainer.average(x, label), before(x, label))


def test_it_learns_its_pairs() -> None:
    """Without discriminators, which these few faces would not teach anything."""
    weights = {"whole": 0, "mouth": 0, "eyes": 0, "likeness": 0, "guide": 0}
    terms = train(make(weights=weights, same=0.0, lr=1e-3, epochs=30.0), range(36))
    losses = [term["pair"] for term in terms]
    assert np.mean(losses[-6:]) < 0.8 * np.mean(losses[:6])


def test_rates_rise_and_fall(trainer: StudentTrainer) -> None:
    assert trainer.steps == 8 * (COUNT // 4)
    rates = []
    for step in (0, 1, 12, 18, 24):
        trainer._set_rate(step)
        rates.append(trainer.g_optimizer.param_groups[0]["lr"] / FIRST.lr)
    assert rates == pytest.approx([0.5, 1, 1, 0.5, 0])


def test_too_few_pairs_are_an_error_that_says_what_to_do() -> None:
    with pytest.raises(RunError, match="3 pairs were kept, fewer than a batch of 4"):
        make(kept=draws().take(np.arange(6)))


def test_a_sheet_has_a_row_for_each_face(trainer: StudentTrainer) -> None:
    assert trainer.sheet().size == (8 * 48 * 2, COUNT * 48 * 2)
