"""The teacher's network and how faces are filled in with it."""

from typing import Any

import pytest
import torch

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.recipes.teacher import TEACHER
from cctranslate.training.data import face_masks
from cctranslate.training.networks.denoiser import Condition, Denoiser
from cctranslate.training.networks.inpainting import Start, context_of, inpaint

N = 4
POINTS = torch.tensor(TEMPLATE, dtype=torch.float32).expand(N, -1, -1)
HAS_LANDMARKS = torch.ones(N, dtype=torch.bool)
MASK = face_masks.region_masks(POINTS, HAS_LANDMARKS, face_masks.WHOLE_EXPRESSION)


@pytest.fixture
def network() -> Denoiser:
    """One whose layers that begin as nothing are something."""
    torch.manual_seed(0)
    network = Denoiser(TEACHER)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return network


def condition(**changes: Any) -> Condition:
    given = {
        "labels": torch.eye(7)[:N],
        "identity": torch.ones(N, 128) / 11,
        "has_label": HAS_LANDMARKS,
        "has_identity": HAS_LANDMARKS,
    }
    return Condition(**{**given, **changes})


def velocity(network: Denoiser, given: Condition, x: torch.Tensor) -> torch.Tensor:
    context = context_of(x, MASK, POINTS, HAS_LANDMARKS, HAS_LANDMARKS)
    result: torch.Tensor = network(x, torch.linspace(0, 1, N), context, given)
    return result


def faces() -> torch.Tensor:
    return torch.rand(N, 1, 48, 48, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_every_parameter_gets_a_gradient(network: Denoiser) -> None:
    has = torch.tensor([True, False, True, False])
    given = condition(has_label=has, has_identity=~has)
    velocity(network, given, faces()).square().sum().backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_a_hidden_label_or_identity_does_not_matter(network: Denoiser) -> None:
    x = faces()
    hidden = condition(has_label=~HAS_LANDMARKS, has_identity=~HAS_LANDMARKS)
    other = condition(
        labels=torch.eye(7)[-N:],
        identity=torch.zeros(N, 128),
        has_label=~HAS_LANDMARKS,
        has_identity=~HAS_LANDMARKS,
    )
    assert torch.equal(velocity(network, hidden, x), velocity(network, other, x))
    assert not torch.equal(velocity(network, condition(), x), velocity(network, hidden, x))


def test_nothing_of_the_hidden_face_is_shown_but_blurred_eyes() -> None:
    x = faces()
    other = torch.where(MASK == 1, -x, x)
    shown = context_of(x, MASK, POINTS, HAS_LANDMARKS, ~HAS_LANDMARKS)
    assert torch.equal(
        shown.visible, context_of(other, MASK, POINTS, HAS_LANDMARKS, ~HAS_LANDMARKS).visible
    )
    assert shown.eyes.abs().max() == shown.eyes_mask.max() == 0
    eyes = context_of(x, MASK, POINTS, HAS_LANDMARKS, HAS_LANDMARKS).eyes
    assert eyes[:, :, 30:].abs().max() == 0
    assert 0 < float(eyes.abs().max()) < 0.3  # noise, blurred to a near gray


def test_the_visible_face_stays_and_the_seed_decides_the_rest(network: Denoiser) -> None:
    x = faces()
    start = Start(x=x, source=x, mask=MASK, points=POINTS, has_landmarks=HAS_LANDMARKS)

    def filled(seed: int) -> torch.Tensor:
        seeded = torch.Generator().manual_seed(seed)
        given = condition()
        return inpaint(
            network, start, given.labels, given.identity, generator=seeded, steps=2, guidance=2.0
        )

    first = filled(0)
    assert torch.equal(first, filled(0))
    assert torch.equal(first[MASK == 0], x[MASK == 0])
    changed = (first - filled(1)).abs()[MASK == 1]
    assert float(changed.mean()) > 0.1


def test_a_straight_flow_is_followed_to_its_end() -> None:
    """A network that knows the face: its velocity leads there in any number of steps."""
    target = torch.full((N, 1, 48, 48), 0.25)

    class Knowing(Denoiser):
        def forward(self, state: torch.Tensor, t: torch.Tensor, *_: object) -> torch.Tensor:
            return (target - state) / (1 - t)[:, None, None, None]

    x = faces()
    start = Start(
        x=x, source=x, mask=torch.ones_like(x), points=POINTS, has_landmarks=HAS_LANDMARKS
    )
    given = condition()
    for steps, begin in ((1, 0.0), (3, 0.0), (2, 0.85)):
        result = inpaint(
            Knowing(TEACHER),
            start,
            given.labels,
            given.identity,
            generator=torch.Generator().manual_seed(0),
            steps=steps,
            guidance=1.0,
            start_time=begin,
        )
        assert torch.allclose(result, target, atol=1e-4)
