"""Steps of the training of the network that redraws mouths, with a small teacher."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.recipes.components import derive
from cctranslate.recipes.student import MOUTH_STUDENT
from cctranslate.recipes.teacher import MOUTH_TEACHER
from cctranslate.training.data.landmarks import Landmarks
from cctranslate.training.networks.denoiser import Denoiser
from cctranslate.training.networks.generator import Edit
from cctranslate.training.networks.inpainting import GuidedVelocity, context_of_mouths
from cctranslate.training.networks.mouths import crops
from cctranslate.training.networks.mouths.redrawer import BEGIN, STEPS
from cctranslate.training.networks.registry import build_generator
from cctranslate.training.trainers.mouths.student import MouthStudentTrainer
from tests.support import pictures

COUNT = 28
SMALL = derive(
    MOUTH_STUDENT,
    generator={"width": 8, "blocks": 1},
    batch_size=8,
)
TEACHER = derive(MOUTH_TEACHER, widths=(8, 16, 16), embedding=32)


def make() -> MouthStudentTrainer:
    torch.manual_seed(0)
    teacher = Denoiser(TEACHER)
    with torch.no_grad():
        for parameter in teacher.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    points = np.tile(TEMPLATE.astype(np.float32), (COUNT, 1, 1))
    return MouthStudentTrainer(
        SMALL,
        faces=pictures.drawn_faces([i % 7 for i in range(COUNT)]),
        votes=None,
        face_landmarks=Landmarks(points=points, has_landmarks=np.arange(COUNT) % 4 > 0),
        teacher=teacher,
        device=torch.device("cpu"),
        seed=0,
    )


def train(trainer: MouthStudentTrainer, steps: range) -> list[dict[str, float]]:
    terms = []
    for step in steps:
        torch.manual_seed(step)
        terms.append({name: float(value) for name, value in trainer.step(step).items()})
    return terms


def test_losses_fall_and_the_rest_of_the_generator_stays() -> None:
    trainer = make()
    before = {name: value.clone() for name, value in trainer.g.state_dict().items()}
    terms = train(trainer, range(40))
    first, last = (
        {name: np.mean([t[name] for t in part]) for name in part[0]}
        for part in (terms[:8], terms[-8:])
    )
    assert all(last[name] < 0.95 * first[name] for name in first), (first, last)
    after = trainer.g.state_dict()
    same = {name for name in before if torch.equal(before[name], after[name])}
    kept = {f"mouth.noise.{name}" for name in ("directions", "phases", "mixing")}
    assert {name for name in same if name.startswith("mouth.")} == kept
    assert all(name in same for name in before if not name.startswith("mouth."))
    average = trainer.average.module.state_dict()
    assert not torch.equal(average["mouth.locator.out.bias"], before["mouth.locator.out.bias"])


def test_steps_begin_with_new_noise_and_follow_each_other() -> None:
    trainer = make()
    torch.manual_seed(0)
    batch = trainer._draw(0)
    assert len(batch.steps) == STEPS
    noise = ((batch.steps[0][0] - BEGIN * batch.crop) / (1 - BEGIN))[batch.mask == 1]
    assert 0.9 < float(noise.std()) < 1.1
    shown = batch.mask == 0
    for begin, _ in batch.steps:
        torch.testing.assert_close(begin[shown], batch.crop[shown])
    (_, end), (begin, _) = batch.steps
    assert torch.equal(begin[batch.mask == 1], end[batch.mask == 1])


def test_each_crop_has_a_guidance_of_the_recipes() -> None:
    trainer = make()
    torch.manual_seed(0)
    guidance = trainer._draw(0).guidance
    least, largest = SMALL.guidances
    assert least <= float(guidance.min()) < float(guidance.max()) <= largest


def test_the_teacher_sees_at_soft_edges_what_it_learned_from() -> None:
    trainer, seen = make(), []
    trainer._teacher.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    torch.manual_seed(0)
    batch = trainer._draw(0)
    for (begin, _), state in zip(batch.steps, seen, strict=True):
        assert torch.equal(state[: len(begin)], begin)


def test_strengths_vary_as_far_as_the_recipe_says(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, seen = make(), []
    apply_edit = trainer.g.apply_edit

    def spy(x: torch.Tensor, edit: Edit, strength: torch.Tensor) -> torch.Tensor:
        seen.append(strength)
        return apply_edit(x, edit, strength)

    monkeypatch.setattr(trainer.g, "apply_edit", spy)
    torch.manual_seed(0)
    labels = trainer._draw(0).labels
    factors = seen[0] / trainer._strengths[labels.argmax(1)]
    least, largest = SMALL.gains
    assert least <= float(factors.min()) < float(factors.max()) <= largest


@torch.no_grad()
def test_guidance_of_each_crop_is_that_of_one_at_a_time() -> None:
    trainer = make()
    torch.manual_seed(0)
    batch = trainer._draw(0)
    context = context_of_mouths(batch.crop, batch.mask)
    state = torch.randn_like(batch.crop)

    def velocity(guidance: float | torch.Tensor) -> torch.Tensor:
        return GuidedVelocity(trainer._teacher, context, batch.labels, None, guidance)(state, 0.5)

    each = velocity(batch.guidance[:, None, None, None])
    for i, guidance in enumerate(batch.guidance.tolist()):
        torch.testing.assert_close(each[i], velocity(guidance)[i])


def test_no_face_is_redrawn_for_its_own_expression() -> None:
    trainer = make()
    for step in range(3):
        torch.manual_seed(step)
        classes = trainer._classes[torch.from_numpy(trainer.sampler.batch(step))]
        assert (trainer._draw(step).labels.argmax(1) != classes).all()


def test_it_starts_from_a_generator_that_redraws_no_mouths() -> None:
    trainer = make()
    torch.manual_seed(3)
    g = build_generator(replace(SMALL.generator, redrawn_at=()))
    noise = trainer.g.state_dict()["mouth.noise.mixing"].clone()
    trainer.start_from(g.state_dict())
    for network in (trainer.g, trainer.average.module):
        assert torch.equal(network.state_dict()["stem.weight"], g.state_dict()["stem.weight"])
        assert torch.equal(network.state_dict()["mouth.noise.mixing"], noise)
    with pytest.raises(RuntimeError):
        trainer.start_from({"stem.weight": noise})


def test_a_restored_trainer_goes_on_exactly() -> None:
    whole = make()
    train(whole, range(2))
    file = io.BytesIO()
    torch.save(whole.state(), file)
    file.seek(0)
    again = make()
    again.restore(torch.load(file, weights_only=True))
    assert train(again, range(2, 4)) == train(whole, range(2, 4))


def test_a_sheet_shows_two_faces_of_each_expression_as_results_look() -> None:
    trainer = make()
    assert trainer.sheet().size == (8 * 48 * 2, 14 * 48 * 2)
    assert trainer.state()["faces"].shape == (14, 48, 48)


@pytest.mark.parametrize("needed", ["redrawn_at", "guidance", "opacity"])
def test_the_recipe_needs_numbers_for_each_expression(needed: str) -> None:
    assert MOUTH_STUDENT.strengths == MOUTH_STUDENT.generator.redrawn_at != ()
    for numbers in ((), (1.0, 2.0)):
        with pytest.raises(ValueError, match=needed):
            derive(MOUTH_STUDENT, generator={needed: numbers})


def test_no_guidance_is_beyond_those_learned() -> None:
    with pytest.raises(ValueError, match="guidances"):
        derive(MOUTH_STUDENT, generator={"guidance": (9.0,) * 7})


def test_crops_can_be_halved_as_often_as_the_networks_do() -> None:
    assert crops.WIDTH % 8 == crops.HEIGHT % 8 == 0  # the networks halve crops three times
