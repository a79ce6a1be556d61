"""The discriminator of a recognizer's features, on drawn faces."""

import numpy as np
import pytest
import torch

from cctranslate.recipes.student import STUDENT
from cctranslate.training.data.device_cache import scaled
from cctranslate.training.losses.projected import CHANNELS, ProjectedDiscriminator
from cctranslate.training.networks import face_recognizer
from tests.support import pictures


@pytest.fixture
def network() -> ProjectedDiscriminator:
    torch.manual_seed(0)
    return ProjectedDiscriminator(face_recognizer.load())


def faces(count: int) -> torch.Tensor:
    return scaled(torch.from_numpy(np.stack([pictures.draw_face(0, i) for i in range(count)])))


def test_it_judges_patches_of_three_scales_and_not_their_borders(
    network: ProjectedDiscriminator,
) -> None:
    judged = network(faces(2), torch.tensor([0, 3]))
    assert [tuple(logits.shape) for logits in judged] == [(2, 24**2), (2, 12**2), (2, 6**2)]


def test_it_learns_what_is_wrong_with_a_face_and_tells_g(network: ProjectedDiscriminator) -> None:
    x, classes = faces(4), torch.zeros(4, dtype=torch.int64)
    marked = x.clone()
    marked[:, :, 30:40, 18:30] = 1
    adam = torch.optim.Adam(network.parameters(), STUDENT.d_lr)
    losses = []
    for _ in range(18):
        (loss,) = network.d_terms(x, marked, classes).values()
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-4:]) < 0.85 * losses[0]
    fake = marked.clone().requires_grad_()
    network.g_terms(fake, classes)["features"].backward()  # type: ignore[no-untyped-call]
    assert fake.grad is not None
    assert float(fake.grad.abs().sum()) > 0


def test_the_recognizer_is_neither_trained_nor_stored(network: ProjectedDiscriminator) -> None:
    assert {name.split(".")[0] for name in network.state_dict()} == {"heads"}
    assert len(network.heads) == len(CHANNELS)
    loss = network.d_terms(faces(2), faces(2), torch.zeros(2, dtype=torch.int64))["d_features"]
    loss.backward()  # type: ignore[no-untyped-call]
    (recognizer,) = network._recognizer
    assert all(weight.grad is None for weight in recognizer.parameters())
