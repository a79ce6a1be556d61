"""Recorded steps on a CUDA device do what the same steps do as they come."""

import numpy as np
import pytest
import torch

from cctranslate.recipes.components import derive
from cctranslate.recipes.flow import FLOW
from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.losses.teachers import TeacherNetworks
from cctranslate.training.trainers.cuda_graphs import EAGER, GraphedStep
from cctranslate.training.trainers.gan import GanTrainer
from tests.support import pictures

CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
RECIPE = derive(
    FLOW.final_recipe,
    guides=(),
    weights={"guide": 0.0, "likeness": 0.0, "likeness_drift": 0.0, "likeness_frechet": 0.0},
    procedure={"batch_size": 8, "epochs": 20, "warm_up": 0.0},
)
STEPS = 8 * (EAGER + 3)


def a_trainer(faces: Faces, device: str) -> GanTrainer:
    return GanTrainer(
        RECIPE,
        faces=faces,
        votes=None,
        networks=TeacherNetworks(),
        device=torch.device(device),
        seed=0,
    )


@pytest.fixture
def faces() -> Faces:
    labels = np.arange(64, dtype=np.uint8) % 7
    images = np.stack([pictures.draw_face(int(label), i) for i, label in enumerate(labels)])
    return Faces(images=images, labels=labels, rows=np.arange(64))


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=CUDA)])
def test_recorded_steps_train_as_eager_ones_do(
    device: str, faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded, eager, untrained = (a_trainer(faces, device) for _ in range(3))
    monkeypatch.setattr(eager, "_graphed_step", eager._work)
    for step in range(STEPS if device == "cuda" else 8):
        for trainer in (recorded, eager):
            torch.manual_seed(step)
            terms = trainer.step(step)
        assert all(value.isfinite() for value in terms.values())
    weights = [parameter for parameter in recorded.g.parameters() if parameter.ndim == 4]
    assert any(not weight.is_contiguous() for weight in weights)  # channels_last
    one, other = (moved(trainer, untrained) for trainer in (recorded, eager))
    # Not to the bit: a CUDA device sums in any order.
    assert torch.cosine_similarity(one, other, dim=0) > 0.95


def moved(trainer: GanTrainer, untrained: GanTrainer) -> torch.Tensor:
    """Return how far training moved the weights, flat, whatever their memory format."""
    pairs = zip(trainer.g.parameters(), untrained.g.parameters(), strict=True)
    return torch.cat([(now - before).detach().flatten() for now, before in pairs])


@CUDA
def test_what_a_recording_gives_is_not_overwritten_by_the_next(faces: Faces) -> None:
    trainer = a_trainer(faces, "cuda")
    kept = [trainer.step(step)["adversarial"] for step in range(STEPS)]
    before = torch.stack(kept).clone()
    trainer.step(STEPS)
    assert torch.equal(torch.stack(kept), before)
    assert len(set(before.tolist())) == STEPS


def test_elsewhere_work_is_done_as_it_comes(faces: Faces) -> None:
    trainer = a_trainer(faces, "cpu")
    batch = trainer.batches.draw(0)
    seen = []

    def work(plan: str, given: object) -> dict[str, torch.Tensor]:
        seen.append((plan, given))
        return {"loss": torch.ones((), requires_grad=True) * 2}

    terms = GraphedStep(work, torch.device("cpu"))("d", batch)
    assert seen == [("d", batch)]
    assert not terms["loss"].requires_grad


def test_a_run_goes_on_where_steps_are_made_in_another_way(faces: Faces) -> None:
    trainer = a_trainer(faces, "cpu")
    trainer.step(0)
    state = trainer.state()
    for name in ("g_optimizer", "d_optimizer"):
        for group in state[name]["param_groups"]:
            group |= {"lr": torch.tensor(1.0), "fused": True, "capturable": True}
    again = a_trainer(faces, "cpu")
    again.restore(state)
    group = again.g_optimizer.param_groups[0]
    assert (group["fused"], group["capturable"]) == (None, False)
    again.step(1)
    assert isinstance(group["lr"], float)
