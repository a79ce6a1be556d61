"""The network that redraws mouths, alone and inside the generator."""

from dataclasses import replace

import numpy as np
import torch

from cctranslate.faces.alignment import TEMPLATE
from cctranslate.pixels import to_scaled
from cctranslate.recipes.flow import FLOW
from cctranslate.training.networks.flow_generator import FlowGenerator
from cctranslate.training.networks.mouths import crops
from cctranslate.training.networks.mouths.redrawer import (
    BEGIN,
    GRAIN,
    SHARPENING,
    FaceNoise,
    MouthRedrawer,
)
from tests.support import pictures

N = 3
LABELS = torch.eye(7)[[0, 3, 6]]
STRENGTHS = (1.25, 1.4, 1.3, 1.25, 1.25, 1.2, 0.5)
GUIDANCE = (1.0, 1.5, 2.0, 2.5, 3.0, 1.0, 2.0)
OPAQUE = (1.0,) * 7
SPEC = replace(FLOW.generator, redrawn_at=STRENGTHS, guidance=GUIDANCE, opacity=OPAQUE)


def moved(network: torch.nn.Module) -> None:
    """Let layers that begin as nothing be something."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))


def test_an_untrained_one_looks_at_the_templates_mouth() -> None:
    redrawer = MouthRedrawer(GUIDANCE, OPAQUE)
    place = redrawer.locator(torch.rand(N, 1, 48, 48))
    template = crops.places(torch.tensor(TEMPLATE, dtype=torch.float32)[None])
    torch.testing.assert_close(place, template.expand(N, -1))


@torch.no_grad()
def test_only_the_mouth_changes() -> None:
    redrawer = MouthRedrawer(GUIDANCE, OPAQUE)
    moved(redrawer)
    result, face = torch.rand(N, 1, 48, 48), torch.rand(N, 1, 48, 48)
    touch = redrawer(result, redrawer.encode(face), LABELS)
    place = redrawer.locator(face)
    corner = crops.corners(place)
    mask = crops.paste(crops.masks(place, corner), corner)
    assert float(touch[mask == 0].abs().max()) == 0
    assert float(touch[mask == 1].abs().mean()) > 0.05
    assert float((result + touch)[mask == 1].abs().max()) <= 1 + 1e-6


def test_noise_differs_between_faces_and_hardly_between_pictures_of_one() -> None:
    faces = torch.from_numpy(to_scaled(np.stack(pictures.people())))[:, None]
    noise = FaceNoise()
    drawn = noise(faces).flatten(1)
    likeness = torch.corrcoef(torch.cat([drawn, noise(faces * 0.95 + 0.02).flatten(1)]))
    n = len(faces)
    assert float(likeness[:n, n:].diag().min()) > 0.8
    others = likeness[:n, :n][~torch.eye(n, dtype=torch.bool)]
    assert float(others.abs().mean()) < 0.25
    assert abs(float(drawn.mean())) < 0.05
    torch.testing.assert_close(drawn.std(1), torch.ones(n), atol=0.2, rtol=0)
    assert torch.equal(drawn, FaceNoise()(faces).flatten(1))
    torch.testing.assert_close(noise(faces[:1]).flatten(1), drawn[:1])  # whatever else is there


@torch.no_grad()
def test_a_redrawn_mouth_keeps_the_grain_of_the_result() -> None:
    redrawer, crop = MouthRedrawer(GUIDANCE, OPAQUE), torch.zeros(N, 1, 24, 32)
    grain = 0.1 * (torch.arange(24)[:, None] + torch.arange(32)).remainder(2) - 0.05
    mask, noise = torch.ones_like(crop), torch.zeros_like(crop)
    smooth, grainy = (redrawer.redraw(c, mask, LABELS, noise) for c in (crop, crop + grain))
    # An untrained network leaves a quarter of the crop, whose detail is sharpened.
    added = (grainy - smooth)[..., 2:-2, 2:-2]
    left = BEGIN * (1 + SHARPENING * 8 / 9)
    expected = ((left + GRAIN) * grain[2:-2, 2:-2]).expand_as(added)
    torch.testing.assert_close(added, expected, atol=0.02, rtol=0)


@torch.no_grad()
def test_each_target_has_its_guidance() -> None:
    redrawer, seen = MouthRedrawer(GUIDANCE, OPAQUE), []
    for velocity in redrawer.velocities:
        velocity.register_forward_pre_hook(lambda _, given: seen.append(given[-1]))
    faces = torch.rand(2, N, 1, 48, 48)
    redrawer(faces[0], redrawer.encode(faces[1]), LABELS)
    for guidance in seen:
        torch.testing.assert_close(guidance, torch.tensor([1.0, 2.5, 2.0]))
    assert len(seen) == 2


@torch.no_grad()
def test_each_target_has_its_opacity() -> None:
    opaque = MouthRedrawer(GUIDANCE, OPAQUE)
    half = MouthRedrawer(GUIDANCE, (1.0, 1.0, 1.0, 0.5, 1.0, 1.0, 1.0))
    moved(opaque)
    half.load_state_dict(opaque.state_dict())
    faces = torch.rand(2, N, 1, 48, 48)
    whole, part = (r(faces[0], r.encode(faces[1]), LABELS) for r in (opaque, half))
    assert float(whole.abs().max()) > 0.1
    expected = whole * torch.tensor([1.0, 0.5, 1.0])[:, None, None, None]
    torch.testing.assert_close(part, expected, atol=1e-5, rtol=0)


def test_every_weight_gets_a_gradient() -> None:
    redrawer = MouthRedrawer(GUIDANCE, OPAQUE)
    moved(redrawer)
    face = torch.rand(N, 1, 48, 48)
    redrawer(torch.rand(N, 1, 48, 48), redrawer.encode(face), LABELS).square().sum().backward()
    lost = [n for n, p in redrawer.named_parameters() if p.grad is None or not p.grad.any()]
    assert lost == []
    inner = {id(matrix) for matrix in redrawer.matrices()}
    names = [n for n, p in redrawer.named_parameters() if id(p) in inner]
    assert names
    assert not any(".stem." in name or ".out." in name for name in names)


@torch.no_grad()
def test_a_generator_redraws_in_bfloat16_too() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        translated = FlowGenerator(SPEC)(torch.rand(N, 1, 48, 48), LABELS)
    assert translated.dtype == torch.float32


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
    touch = g.mouth(before, g.mouth.encode(x), LABELS)
    assert float(touch.abs().max()) > 0.1
    torch.testing.assert_close(after, (before + touch).clamp(-1, 1), atol=2e-3, rtol=0)
    nothing = g.apply_edit(x, edit, torch.zeros(N))
    torch.testing.assert_close(nothing, x, atol=1e-5, rtol=0)
