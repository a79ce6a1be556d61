"""The network that redraws mouths, alone and inside the generator."""

from dataclasses import replace

import torch

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.recipes.flow import FLOW
from cctranslate.training.networks.flow_generator import FlowGenerator
from cctranslate.training.networks.mouths import crops
from cctranslate.training.networks.mouths.redrawer import MouthRedrawer

N = 3
LABELS = torch.eye(7)[[0, 3, 6]]
STRENGTHS = (1.25, 1.4, 1.3, 1.25, 1.25, 1.2, 0.5)
SPEC = replace(FLOW.generator, redrawn_at=STRENGTHS)


def moved(network: torch.nn.Module) -> None:
    """Let layers that begin as nothing be something."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))


def test_an_untrained_one_looks_at_the_templates_mouth() -> None:
    redrawer = MouthRedrawer()
    place = redrawer.locator(torch.rand(N, 1, 48, 48))
    template = crops.places(torch.tensor(TEMPLATE, dtype=torch.float32)[None])
    torch.testing.assert_close(place, template.expand(N, -1))


@torch.no_grad()
def test_only_the_mouth_changes() -> None:
    redrawer = MouthRedrawer()
    moved(redrawer)
    result, face = torch.rand(N, 1, 48, 48), torch.rand(N, 1, 48, 48)
    touch = redrawer(result, face, LABELS)
    place = redrawer.locator(face)
    corner = crops.corners(place)
    mask = crops.paste(crops.masks(place, corner), corner)
    assert float(touch[mask == 0].abs().max()) == 0
    assert float(touch[mask == 1].abs().mean()) > 0.05
    assert float((result + touch)[mask == 1].abs().max()) <= 1 + 1e-6


def test_the_noise_is_the_same_for_each_face_and_each_network() -> None:
    first, second = MouthRedrawer(), MouthRedrawer()
    assert torch.equal(first.noise, second.noise)
    assert first.noise.std() > 0.9
    assert "noise" in first.state_dict()  # the weights were trained with it


def test_every_weight_gets_a_gradient() -> None:
    redrawer = MouthRedrawer()
    moved(redrawer)
    face = torch.rand(N, 1, 48, 48)
    redrawer(torch.rand(N, 1, 48, 48), face, LABELS).square().sum().backward()
    lost = [n for n, p in redrawer.named_parameters() if p.grad is None or not p.grad.any()]
    assert lost == []
    inner = {id(matrix) for matrix in redrawer.matrices()}
    names = [n for n, p in redrawer.named_parameters() if id(p) in inner]
    assert names
    assert not any(".stem." in name or ".out." in name for name in names)


@torch.no_grad()
def test_a_generator_redraws_what_it_would_show_at_the_specs_strengths() -> None:
    x = torch.rand(N, 1, 48, 48) * 2 - 1
    torch.manual_seed(0)
    g = FlowGenerator(SPEC).eval()
    moved(g)
    code = g.encode(x)
    first, edit = g.first_edit(code, LABELS), g.edit(code, LABELS)
    assert torch.equal(first.flow, edit.flow)
    strength = torch.tensor([STRENGTHS[0], STRENGTHS[3], STRENGTHS[6]])
    before, after = (g.apply_edit(x, each, strength) for each in (first, edit))
    assert g.mouth is not None
    touch = g.mouth(before, x, LABELS)
    assert float(touch.abs().max()) > 0.1
    torch.testing.assert_close(after, (before + touch).clamp(-1, 1), atol=2e-3, rtol=0)
    nothing = g.apply_edit(x, edit, torch.zeros(N))
    torch.testing.assert_close(nothing, x, atol=1e-5, rtol=0)
