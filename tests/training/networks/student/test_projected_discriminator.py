"""The discriminator of a pretrained network's features, on drawn faces."""

import numpy as np
import pytest
import torch

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.recipes.student import STUDENT
from cctranslate.training.data.device_cache import scaled
from cctranslate.training.losses.student import features_d_loss, features_g_loss
from cctranslate.training.networks.pretrained import picture_features
from cctranslate.training.networks.student.part_discriminators import DiscriminatorInput
from cctranslate.training.networks.student.projected_discriminator import (
    ProjectedDiscriminator,
    part_at,
)
from tests.support import pictures

MOUTHS, EYES = 1, 3
"""Steps."""


@pytest.fixture
def network() -> ProjectedDiscriminator:
    torch.manual_seed(0)
    return ProjectedDiscriminator(picture_features.load())


def faces(count: int) -> DiscriminatorInput:
    return DiscriminatorInput(
        x=scaled(torch.from_numpy(np.stack([pictures.draw_face(0, i) for i in range(count)]))),
        points=torch.tensor(TEMPLATE, dtype=torch.float32).expand(count, -1, -1),
        classes=torch.zeros(count, dtype=torch.int64),
    )


@pytest.mark.parametrize(("step", "height", "width"), [(MOUTHS, 24, 32), (EYES, 22, 40)])
def test_it_judges_patches_of_two_scales_and_the_whole_part(
    network: ProjectedDiscriminator, step: int, height: int, width: int
) -> None:
    seen = network.see(faces(2), step)
    judged = network(seen, torch.tensor([0, 3]), step)
    patches = [height * width, height * width // 4]
    assert [tuple(logits.shape) for logits in judged] == [(2, count) for count in (*patches, 1)]


def test_two_steps_of_three_are_about_mouths() -> None:
    assert [part_at(step) for step in range(6)] == ["eyes", "mouth", "mouth"] * 2


@pytest.mark.parametrize(("step", "top"), [(MOUTHS, 34), (EYES, 16)])
def test_it_learns_what_is_wrong_with_a_part_and_tells_g(
    network: ProjectedDiscriminator, step: int, top: int
) -> None:
    real = faces(4)
    marked = real.x.clone()
    marked[:, :, top : top + 4, 20:28] = 1
    fake = DiscriminatorInput(x=marked, points=real.points, classes=real.classes)
    adam = torch.optim.Adam(network.parameters(), STUDENT.d_lr)
    losses = []
    for _ in range(18):
        loss = features_d_loss(network, real, network.see(fake, step), step)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-4:]) < 0.85 * losses[0]
    marked.requires_grad_()
    seen = network.see(fake, step)
    features_d_loss(network, real, seen, step).backward()  # type: ignore[no-untyped-call]
    assert marked.grad is None, "D's step tells G nothing"
    features_g_loss(network, seen, fake.classes, step).backward()  # type: ignore[no-untyped-call]
    assert marked.grad is not None
    of_rows = marked.grad.abs().sum((0, 1, 3))
    assert of_rows[top] > 0
    assert of_rows[46 if step == EYES else 2] == 0


def test_the_pretrained_network_is_neither_trained_nor_stored(
    network: ProjectedDiscriminator,
) -> None:
    assert {name.split(".")[0] for name in network.state_dict()} == {"heads"}
    loss = features_d_loss(network, faces(2), network.see(faces(2), MOUTHS), MOUTHS)
    loss.backward()  # type: ignore[no-untyped-call]
    (features,) = network._features
    assert all(weight.grad is None for weight in features.parameters())
