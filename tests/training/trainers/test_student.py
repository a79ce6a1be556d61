"""Steps of a student's training, on a few pairs of drawn faces."""

import io
from typing import Any

import numpy as np
import pytest
import torch

from cctranslate.errors import RunError
from cctranslate.faces.alignment import TEMPLATE
from cctranslate.recipes.registry import find
from cctranslate.recipes.spec import ClassifierRecipe, derive
from cctranslate.recipes.student import STUDENT, STUDENT_START, StudentRecipe
from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.losses.teachers import TeacherNetworks
from cctranslate.training.networks import face_recognizer
from cctranslate.training.networks.classifiers import Classifier
from cctranslate.training.networks.registry import build_generator
from cctranslate.training.pairs.store import Draws
from cctranslate.training.trainers.student import StudentTrainer
from tests.support import pictures

COUNT = 14
BRIGHTER = 40
TINY: dict[str, Any] = {"d_widths": (8, 8, 8, 8), "batch_size": 4, "epochs": 8.0, "warm_up": 2}
FIRST, SECOND = derive(STUDENT_START, same=0.3, **TINY), derive(STUDENT, same=0.3, **TINY)


def draws() -> Draws:
    """Two results of each face for the expression after its own: a brighter one, then noise."""
    sources = np.repeat(np.arange(COUNT), 2)
    images = np.stack([pictures.draw_face(i % 7, i) for i in sources.tolist()])
    noise = np.random.default_rng(0).integers(0, 255, images.shape, np.uint8)
    images[::2] = (images[::2].astype(int) + BRIGHTER).clip(max=255)
    images[1::2] = noise[1::2]
    return Draws(
        images=images,
        sources=sources,
        targets=(sources + 1) % 7,
        ways=np.zeros(len(sources), np.int64),
        chances=np.ones(len(sources), np.float32),
        cosines=np.ones(len(sources), np.float32),
    )


def make(
    recipe: StudentRecipe = FIRST,
    kept: Draws | None = None,
    found: Landmarks | None = None,
    **changes: object,
) -> StudentTrainer:
    faces = Faces(
        images=np.stack([pictures.draw_face(i % 7, i) for i in range(COUNT)]),
        labels=np.arange(COUNT, dtype=np.uint8) % 7,
        rows=np.arange(COUNT),
    )
    found = found or Landmarks(
        points=np.tile(TEMPLATE.astype(np.float32), (COUNT, 1, 1)), found=np.arange(COUNT) % 3 > 0
    )
    guide = find("guide-plain")
    assert isinstance(guide, ClassifierRecipe)
    torch.manual_seed(0)
    networks = TeacherNetworks(
        guides=(Classifier(derive(guide, widths=(8, 8, 8))),),
        face_recognizer=face_recognizer.load(),
    )
    return StudentTrainer(
        derive(recipe, **changes),
        faces,
        None,
        found,
        draws() if kept is None else kept,
        networks,
        torch.device("cpu"),
        0,
    )


def train(trainer: StudentTrainer, steps: range) -> list[dict[str, float]]:
    terms = []
    for step in steps:
        torch.manual_seed(step)
        terms.append({name: float(value) for name, value in trainer.step(step).items()})
    return terms


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
        assert (batch.guided.bool() == (~same & batch.found)).all()
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
        each.begin(before.g.state_dict(), before.d.state_dict())
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
    trainer.begin(before.state_dict(), {})
    x, label = torch.rand(2, 1, 48, 48), torch.eye(7)[[1, 2]]
    torch.testing.assert_close(trainer.average(x, label), before(x, label))


def test_a_second_student_follows_the_first_coarsely_where_there_is_no_pair() -> None:
    second = make(SECOND, neutral=1.0, same=0.0)
    assert second.batches.unpaired == 2
    for step in range(8):
        torch.manual_seed(step)
        batch = second.batches.draw(step)
        unchanged = batch.paired[2:]  # asked for what they are already
        assert batch.paired[:2].all()
        assert batch.found[2:].all()  # none that is hard to change
        assert (batch.guided > 0).tolist() == [*batch.found[:2].tolist(), *(~unchanged).tolist()]
        anchored = second._with_anchors(batch)
        torch.testing.assert_close(anchored.y[:2], batch.y[:2])
        torch.testing.assert_close(anchored.y[2:][unchanged], batch.x[2:][unchanged])
        made = second._anchor(batch.x, batch.target_labels)[2:]
        moved = (anchored.y - batch.x)[2:].abs().sum((1, 2, 3))
        assert (
            moved[~unchanged] > (made - batch.x[2:]).abs().sum((1, 2, 3))[~unchanged]
        ).all()  # at 1.15


def test_a_second_student_has_one_more_discriminator_and_takes_over_the_others() -> None:
    first, second = make(FIRST), make(SECOND)
    second.begin(first.g.state_dict(), first.d.state_dict())
    there, here = first.d.state_dict(), second.d.state_dict()
    assert all(torch.equal(here[name], value) for name, value in there.items())
    assert {name.split(".")[0] for name in here.keys() - there.keys()} == {"features"}
    terms = train(second, range(2))
    assert ["features" in term for term in terms] == ["d_features" in term for term in terms]
    assert ["features" in term for term in terms] == [True, False]
    assert all("coarse" in term for term in terms)
    assert set(second._pulls.weights) == {"whole", "mouth", "eyes", "features"}
    assert all(weight > 0 for weight in second._pulls.weights.values())


def test_a_second_student_has_no_pairs_of_faces_that_lie_oddly() -> None:
    points = np.tile(TEMPLATE.astype(np.float32), (COUNT, 1, 1))
    points[:4] += 7
    found = Landmarks(points=points, found=np.arange(COUNT) > 0)
    for recipe, without in ((FIRST, set()), (SECOND, {1, 2, 3})):
        faces = set(make(recipe, found=found).batches._sources.tolist())
        assert faces == set(range(COUNT)) - without


def test_faces_are_turned_with_what_they_are_to_become() -> None:
    torch.manual_seed(0)
    batch = make(SECOND, same=0.0).batches.draw(0)
    after = batch.turned(0.5)
    moved = (after.points != batch.points).flatten(1).any(1)
    assert moved.any()
    assert not moved.all()
    for was, now in ((batch.x, after.x), (batch.y, after.y)):
        assert (((was != now).flatten(1).any(1)) == moved).all()
    assert batch.turned(0.0).x.equal(batch.x)


def test_discriminators_of_another_form_are_refused() -> None:
    first, second = make(FIRST), make(SECOND)
    g, d = first.g.state_dict(), first.d.state_dict()
    for wrong in (
        {name.removeprefix("parts."): value for name, value in d.items()},
        {name: value for name, value in d.items() if "mouth" not in name},
        d | {"parts.networks.nose.head.bias": torch.zeros(8)},
    ):
        with pytest.raises(RuntimeError, match="key"):
            second.begin(g, wrong)


def test_neutral_counts_more_often_and_more() -> None:
    batches = make(SECOND, batch_size=14, same=0.0, neutral=3.0).batches
    targets = torch.zeros(7)
    for step in range(40):
        torch.manual_seed(step)
        batch = batches.draw(step)
        targets += torch.bincount(batch.targets, minlength=7)
        weights = {round(float(w), 1) for w in batch.guided[batch.targets == 6]}
        assert weights <= {0, SECOND.weights.neutral_guide}
    assert float(targets[6] / targets.sum()) == pytest.approx(3 / 9, abs=0.06)


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
