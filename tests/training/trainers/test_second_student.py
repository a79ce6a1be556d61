"""What the second of two students has besides the first: faces without a pair, and features."""

import numpy as np
import pytest
import torch

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.recipes.student import STUDENT
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.device import autocast
from cctranslate.training.networks.registry import build_generator
from tests.support.students import COUNT, FIRST, SECOND, make, train


def test_a_second_student_follows_the_first_coarsely_where_there_is_no_pair() -> None:
    second = make(SECOND, neutral=1.0, same=0.0)
    assert second.batches.unpaired == 3
    for step in range(8):
        torch.manual_seed(step)
        batch = second.batches.draw(step)
        unchanged = batch.paired[1:]  # asked for what they are already
        assert batch.paired[0]
        assert batch.has_landmarks[1:].all()  # none that is hard to change
        assert (batch.guided > 0).tolist() == [bool(batch.has_landmarks[0]), *(~unchanged).tolist()]
        anchored = second._with_anchors(batch)
        torch.testing.assert_close(anchored.y[0], batch.y[0])
        torch.testing.assert_close(anchored.y[1:][unchanged], batch.x[1:][unchanged])
        made = second._anchor(batch.x, batch.target_labels)[1:]
        moved = (anchored.y - batch.x)[1:].abs().sum((1, 2, 3))
        asked = (made - batch.x[1:]).abs().sum((1, 2, 3))
        assert (moved > asked)[~unchanged].all()  # every strength is more than 1


def test_discriminators_see_results_at_the_strengths_that_ship() -> None:
    second = make(SECOND, same=0.0)
    torch.manual_seed(0)
    g = build_generator(SECOND.generator)
    second.start_from({name: value + 0.01 for name, value in g.state_dict().items()}, {})
    seen = []
    second.d.parts.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    torch.manual_seed(1)
    batch = second._with_anchors(second.batches.draw(1)).turned(SECOND.turned)
    with autocast(batch.x.device):
        edit = second.g.edit(second.g.encode(batch.x), batch.target_labels)
    strengths = torch.tensor([STUDENT.strengths[target] for target in batch.targets])
    expected = second.g.apply_edit(batch.x, edit, strengths)
    assert (expected - edit.image).abs().max() > 0.01
    torch.manual_seed(1)
    second.step(1)
    _, fake = seen[:2]  # real faces come first
    torch.testing.assert_close(fake.x, expected)


def test_a_second_student_has_one_more_discriminator_and_takes_over_the_others() -> None:
    first, second = make(FIRST), make(SECOND)
    second.start_from(first.g.state_dict(), first.d.state_dict())
    there, here = first.d.state_dict(), second.d.state_dict()
    assert all(torch.equal(here[name], value) for name, value in there.items())
    assert {name.split(".")[0] for name in here.keys() - there.keys()} == {"features"}
    terms = train(second, range(2))
    assert all({"features", "d_features", "coarse"} <= term.keys() for term in terms)
    assert set(second._balancer.weights) == {"whole", "mouth", "eyes", "features"}
    assert all(weight > 0 for weight in second._balancer.weights.values())


def test_a_second_student_has_no_pairs_of_faces_that_lie_oddly() -> None:
    points = np.tile(TEMPLATE.astype(np.float32), (COUNT, 1, 1))
    points[:4] += 7
    face_landmarks = Landmarks(points=points, has_landmarks=np.arange(COUNT) > 0)
    for recipe, without in ((FIRST, set()), (SECOND, {1, 2, 3})):
        faces = set(make(recipe, face_landmarks=face_landmarks).batches._sources.tolist())
        assert faces == set(range(COUNT)) - without


def test_faces_are_turned_with_what_they_are_to_become() -> None:
    batches = make(SECOND, same=0.0).batches
    torch.manual_seed(0)
    batch = batches.draw(0)
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
            second.start_from(g, wrong)


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
