"""Networks: shapes, gradients everywhere, and what their design promises."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.flow import FLOW
from cctranslate.recipes.gan import GanRecipe
from cctranslate.recipes.original.log_t1_to_t27 import T1, T5, T9, T11, T26
from cctranslate.recipes.registry import RECIPES, find
from cctranslate.training.exporting.graphs import TranslatorGraph
from cctranslate.training.networks.classifiers import OUTPUTS, Classifier
from cctranslate.training.networks.discriminators import build_discriminator
from cctranslate.training.networks.flow_generator import FlowGenerator
from cctranslate.training.networks.registry import build_generator
from tests.support.training import needs_backbone

X = torch.rand(3, 1, 48, 48) * 2 - 1
CLASSES = torch.tensor([0, 3, 6])
LABELS = torch.eye(7)[CLASSES]
TRANSLATORS = [r for r in RECIPES.values() if isinstance(r, GanRecipe)]
CRITICS = [
    pytest.param(r, marks=needs_backbone if r.discriminator.kind == "resnet50" else ())
    for r in TRANSLATORS
]
CLASSIFIERS = [
    pytest.param(r, marks=needs_backbone if r.kind == "resnet50" else ())
    for r in RECIPES.values()
    if isinstance(r, ClassifierRecipe)
]


def assert_all_have_gradients(network: torch.nn.Module) -> None:
    missing = [
        name
        for name, parameter in network.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.any())
    ]
    assert missing == []


@pytest.mark.parametrize("recipe", TRANSLATORS, ids=lambda r: r.name)
def test_generator(recipe: GanRecipe) -> None:
    torch.manual_seed(0)
    generator = build_generator(recipe.generator)
    # Blocks that start as identities pass gradients on once they have moved.
    for parameter in generator.parameters():
        parameter.data += 0.02 * torch.randn_like(parameter)
    edit = generator.edit(generator.encode(X), LABELS)
    assert edit.image.shape == X.shape
    assert edit.image.abs().max() <= 1
    assert edit.flow.shape == (3, 2, 48, 48)
    edit.image.square().sum().backward()  # type: ignore[no-untyped-call]
    assert_all_have_gradients(generator)


@pytest.mark.parametrize("recipe", CRITICS, ids=lambda r: r.name)
def test_discriminator(recipe: GanRecipe) -> None:
    torch.manual_seed(0)
    discriminator = build_discriminator(recipe.discriminator)
    verdict = discriminator(X, CLASSES)
    assert verdict.realness(CLASSES).shape[0] == 3
    score = verdict.real.square().sum()
    if verdict.expression is not None:
        assert verdict.expression.shape == (3, recipe.discriminator.head or 7)
        score = score + verdict.expression.square().sum()
    score.backward()
    assert_all_have_gradients(discriminator)


@pytest.mark.parametrize("recipe", CLASSIFIERS, ids=lambda r: r.name)
def test_classifier(recipe: ClassifierRecipe) -> None:
    torch.manual_seed(0)
    network = Classifier(recipe)
    out = network(X)
    assert out.shape == (3, OUTPUTS[recipe.objective])
    out.square().sum().backward()
    assert_all_have_gradients(network)


def test_the_witness_reads_a_face_as_its_mirror_image() -> None:
    torch.manual_seed(0)
    recipe = find("witness")
    assert isinstance(recipe, ClassifierRecipe)
    classifier = Classifier(recipe).eval()
    torch.testing.assert_close(classifier(X), classifier(X.flip(3)))
    assert not torch.allclose(classifier.train()(X), classifier(X.flip(3)))


def test_flow_starts_as_nearly_the_identity() -> None:
    torch.manual_seed(0)
    assert (build_generator(FLOW.generator)(X, LABELS) - X).abs().mean() < 0.02


def test_flow_can_wipe_a_stripe_away_and_leave_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    monkeypatch.setattr(FlowGenerator, "WIPE_BIAS", -5.0)
    flow = FlowGenerator(FLOW.generator)
    x = torch.zeros(1, 1, 48, 48)
    x[:, :, 30:33, 12:36] = 1.0
    torch.nn.init.zeros_(flow.paint.weight)
    torch.nn.init.zeros_(flow.flow.weight)
    wiped = flow(x, LABELS[:1])
    assert wiped[:, :, 30:33, 16:32].max() < 0.5
    assert wiped[:, :, :12].abs().max() < 1e-6


@pytest.mark.parametrize("recipe", TRANSLATORS, ids=lambda r: r.name)
def test_strength_runs_from_the_face_as_it_was_to_the_full_edit(recipe: GanRecipe) -> None:
    torch.manual_seed(0)
    generator = build_generator(recipe.generator)
    for parameter in generator.parameters():
        parameter.data += 0.02 * torch.randn_like(parameter)
    edit = generator.edit(generator.encode(X), LABELS)
    steps = [generator.apply_edit(X, edit, torch.full((3,), s)) for s in (0.0, 0.3, 0.6, 1.0)]
    torch.testing.assert_close(steps[0], X, atol=1e-5, rtol=0)
    torch.testing.assert_close(steps[3], edit.image, atol=1e-5, rtol=0)
    change = [(step - X).abs().mean().item() for step in steps]
    assert change == sorted(change)
    assert change[1] < change[2] < change[3]


@pytest.mark.parametrize("recipe", TRANSLATORS, ids=lambda r: r.name)
def test_an_exported_translation_is_the_face_moved_and_painted_as_it_says(
    recipe: GanRecipe,
) -> None:
    torch.manual_seed(0)
    graph = TranslatorGraph(build_generator(recipe.generator), (1.5,) * 7).eval()
    for parameter in graph.parameters():
        parameter.data += 0.02 * torch.randn_like(parameter)
    translated, flow, paint = graph(X, LABELS, torch.full((3,), 0.7))
    assert flow.shape == (3, 3, 2, 48, 48)
    rows, columns = torch.meshgrid(torch.arange(48), torch.arange(48), indexing="ij")
    places = torch.stack([columns, rows], -1) + flow[:, 1].movedim(1, -1)
    grid = (places + 0.5) / 24 - 1
    moved = F.grid_sample(X, grid, padding_mode="border", align_corners=False)
    expected = (moved + paint[:, 1]).clamp(-1, 1)
    torch.testing.assert_close(translated[:, 1], expected, atol=1e-4, rtol=0)


def test_one_logit_a_class_is_read_at_the_class() -> None:
    verdict = build_discriminator(replace(FLOW.discriminator, conditional=True))(X, CLASSES)
    picked = verdict.realness(CLASSES)
    assert picked.shape == (3,)
    assert torch.equal(picked, verdict.real[[0, 1, 2], [0, 3, 6]])


def test_an_unconditional_critic_does_not_care_for_the_class() -> None:
    critic = build_discriminator(replace(FLOW.discriminator, conditional=False))
    picked = critic(X, CLASSES).realness(CLASSES)
    assert picked.shape == (3,)
    assert torch.equal(picked, critic(X, CLASSES.flip(0)).realness(CLASSES.flip(0)))


def test_the_seeds_output_does_not_start_saturated() -> None:
    torch.manual_seed(0)
    image = build_generator(T26.generator)(X, LABELS)
    assert (image.abs() > 0.95).float().mean() < 0.2


def test_the_originals_latent_has_one_position_and_depends_on_the_face() -> None:
    torch.manual_seed(0)
    code = build_generator(T26.generator).encode(X)
    assert [c.shape[-1] for c in code] == [48, 23, 10, 4, 1]
    assert code[-1].std(0).max() > 0.01


def test_the_label_scales_the_input_or_the_latent_or_joins_it() -> None:
    torch.manual_seed(0)
    for recipe, scales in ((T1, []), (T5, [24, 12, 6, 3]), (T11, [24, 12, 6, 3])):
        generator = build_generator(recipe.generator)
        code = generator.encode(X)
        assert [c.shape[-1] for c in code] == [48, *scales]
        other = LABELS.roll(1, 0)
        assert not torch.equal(
            generator.edit(code, LABELS).image, generator.edit(code, other).image
        )


def test_a_discriminator_that_sees_the_label_depends_on_it() -> None:
    torch.manual_seed(0)
    discriminator = build_discriminator(T1.discriminator)
    assert discriminator(X, CLASSES).real.shape == (3, 1, 3, 3)
    assert not torch.equal(discriminator(X, CLASSES).real, discriminator(X, CLASSES.roll(1)).real)


@needs_backbone
def test_a_frozen_backbone_stays_frozen_when_d_is_thawed() -> None:
    discriminator = build_discriminator(T9.discriminator).requires_grad_(False)
    discriminator.requires_grad_(True)
    trained = {
        name.split(".")[0] for name, p in discriminator.named_parameters() if p.requires_grad
    }
    assert trained == {"label", "validity"}
    assert not discriminator.body.training
