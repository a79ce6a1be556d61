"""Parts of faces that discriminators see, against pictures worked out by hand."""

import pytest
import torch

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.training.losses.components import (
    PARTS,
    ComponentDiscriminators,
    Pulls,
    Shown,
    crop,
)

POINTS = torch.tensor(TEMPLATE, dtype=torch.float32)[None]


def shown(x: torch.Tensor, target: int = 0) -> Shown:
    n = len(x)
    return Shown(x=x, points=POINTS.expand(n, -1, -1), classes=torch.full((n,), target))


def test_parts_lie_about_their_landmarks() -> None:
    picture = torch.arange(48 * 48.0).reshape(1, 1, 48, 48)  # each pixel is 48 * row + column
    mouth = crop(picture, POINTS, PARTS["mouth"])
    assert mouth.shape == (1, 1, 20, 28)
    first, last = mouth[0, 0, 0, 0].item(), mouth[0, 0, -1, -1].item()
    assert divmod(first, 48) == (26, 10)  # the mouth's middle is (23.5, 35.8)
    assert divmod(last, 48) == (45, 37)
    assert crop(picture, POINTS, PARTS["eyes"]).shape == (1, 1, 20, 40)
    torch.testing.assert_close(crop(picture, POINTS, PARTS["whole"]), picture)


@pytest.mark.parametrize("shift", [-40.0, 40.0])
def test_parts_stay_within_the_picture(shift: float) -> None:
    picture = torch.rand(1, 1, 48, 48)
    corner = crop(picture, POINTS + shift, PARTS["mouth"])
    expected = picture[..., :20, :28] if shift < 0 else picture[..., -20:, -28:]
    torch.testing.assert_close(corner, expected)


def test_a_mark_on_the_mouth_is_seen_by_all_but_the_eyes() -> None:
    torch.manual_seed(0)
    networks = ComponentDiscriminators((8, 8, 8, 8))
    plain = torch.zeros(1, 1, 48, 48)
    marked = plain.clone()
    marked[:, :, 34:38, 20:28] = 1
    before, after = networks(shown(plain)), networks(shown(marked))
    assert {name for name in PARTS if not torch.equal(before[name], after[name])} == {
        "whole",
        "mouth",
    }


def test_discriminators_learn_a_mark_and_g_is_told_where_it_is() -> None:
    torch.manual_seed(0)
    networks = ComponentDiscriminators((8, 8, 8, 8))
    real = shown(torch.zeros(8, 1, 48, 48))
    marked = torch.zeros(8, 1, 48, 48)
    marked[:, :, 34:38, 20:28] = 1
    adam = torch.optim.Adam(networks.parameters(), 3e-3)
    for _ in range(60):
        terms = networks.d_terms(real, shown(marked))
        assert terms.keys() == {"d_whole", "d_mouth", "d_eyes"}
        adam.zero_grad()
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        adam.step()
    assert float(terms["d_mouth"].detach()) < 0.1
    assert float(terms["d_eyes"].detach()) == pytest.approx(0.693, abs=1e-3)  # nothing to see there
    fake = marked.clone().requires_grad_()
    networks.g_terms(real, shown(fake))["mouth"].backward()  # type: ignore[no-untyped-call]
    assert fake.grad is not None
    assert float(fake.grad[:, :, 34:38, 20:28].sum()) > 0  # a weaker mark would cost less


def test_the_penalty_grows_with_the_slope_of_the_logits() -> None:
    torch.manual_seed(0)
    networks = ComponentDiscriminators((8, 8, 8, 8))
    faces = shown(torch.rand(2, 1, 48, 48))
    before = networks.penalty(faces).item()
    for network in networks.networks.values():
        network.head.weight.data *= 2  # type: ignore[union-attr, operator]
    assert networks.penalty(faces).item() == pytest.approx(4 * before, rel=1e-4)


def test_terms_pull_a_fixed_part_as_strongly_as_another() -> None:
    x = torch.ones(1, 1, 2, 2, requires_grad=True)
    pulls = Pulls({"weak": 0.5, "strong": 2.0, "flat": 1.0})
    terms = {"weak": 0.1 * x.sum(), "strong": 3 * x.sum(), "flat": 0 * x.sum()}
    pulls.update(x, 6 * x.sum(), terms)
    assert pulls.weights == {
        "weak": pytest.approx(30),
        "strong": pytest.approx(4),
        "flat": 50,  # what has no slope has a weight that is not without bounds
    }
    pulls.update(x, 3 * x.sum(), terms)
    assert pulls.weights["weak"] == pytest.approx(0.8 * 30 + 0.2 * 15)
