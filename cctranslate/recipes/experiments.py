"""The recipes: our own and its teachers here, the seed's log in `seed`; found by name."""

from cctranslate.recipes import seed
from cctranslate.recipes.spec import (
    AnyRecipe,
    ClassifierRecipe,
    DiscriminatorSpec,
    GeneratorSpec,
    Procedure,
    Recipe,
    Weights,
    backbone_of,
    derive,
)

FLOW_START = Recipe(
    name="flow-start",
    about="ours, the first part: warps what moves and paints what appears, relativistic D, robust "
    "guides, a true cycle, no more change than it takes",
    generator=GeneratorSpec(kind="flow", width=32, blocks=4),
    discriminator=DiscriminatorSpec(kind="residual", width=40, conditional=False),
    weights=Weights(
        adversarial=3, guide=4, identity=6, cycle=1, change=20, own=10, smoothness=0.05, r1=0.1
    ),
    procedure=Procedure(
        batch_size=32,
        epochs=14,
        lr=4e-4,
        betas=(0.0, 0.99),
        adversarial="relativistic",
        targets="one",
        warm_up=0.2,
        lazy=2,
        lr_decay=True,
        ema=0.999,
        flip=True,
        cycle_noise=0.05,
        class_balance=0.5,
        vote_share=0.7,
        certainty=0.5,
    ),
    guides=("guide-smooth", "guide-plain"),
    encoder="encoder",
)

FLOW_MIDDLE = derive(
    FLOW_START,
    name="flow-middle",
    about="ours, the second part: goes on from `flow-start` with a third guide, more often right",
    start="flow-start",
    weights={"change": 25, "identity": 8},
    procedure={"warm_up": 0.0, "epochs": 12, "lr": 3e-4},
    guides=("guide-smooth", "guide-plain", "guide-sharp"),
)

FLOW = derive(
    FLOW_MIDDLE,
    name="flow",
    about="ours: goes on from `flow-middle` with a new D, which sees each result beside its "
    "source, and reads fear by the eyes",
    start="flow-middle",
    weights={"adversarial": 8, "change": 28, "identity": 12},
    procedure={"paired": True, "fresh_d": True, "by_the_eyes": ("fear",), "epochs": 5},
    guides=("guide-sharp", "guide-clear"),
)

JUDGE = ClassifierRecipe(
    name="judge",
    about="the independent classifier that confirms labels; no generator is ever trained on it",
    kind="residual",
    widths=(40, 80, 116),
    batch_size=64,
    epochs=40,
    lr=0.05,
    vote_share=1.0,
)

WITNESS = ClassifierRecipe(
    name="witness",
    about="a second opinion for `evaluate`: of another shape than the judge, seen by no generator",
    kind="plain",
    widths=(40, 80, 128),
    batch_size=64,
    epochs=20,
    lr=0.05,
    vote_share=0.7,
    mirrored=True,
)

GUIDE_SMOOTH = ClassifierRecipe(
    name="guide-smooth",
    about="a group-normed SiLU guide for G, hardened by noise and adversarial steps",
    kind="smooth",
    widths=(32, 64, 96),
    batch_size=64,
    epochs=8,
    lr=0.05,
    vote_share=0.7,
    class_balance=0.5,
    noise=0.1,
    adversarial=0.5,
)

ENCODER = ClassifierRecipe(
    name="encoder",
    about="tells faces of one expression apart, so that G keeps the person",
    objective="identity",
    kind="plain",
    widths=(32, 64, 128),
    batch_size=192,
    epochs=10,
    lr=0.1,
    dropout=0.0,
)

GUIDE_PLAIN = ClassifierRecipe(
    name="guide-plain",
    about="a plain convolutional guide for G, hardened by noise and adversarial steps",
    kind="plain",
    widths=(32, 64, 96),
    batch_size=64,
    epochs=12,
    lr=0.05,
    vote_share=0.7,
    class_balance=0.75,
    noise=0.1,
    adversarial=0.3,
)

GUIDE_SHARP = derive(
    GUIDE_PLAIN,
    name="guide-sharp",
    about="a plain convolutional guide for the rest of G's way: hardened less, more often right",
    widths=(40, 72, 112),
    epochs=18,
    class_balance=0.5,
    adversarial=0.0,
)

GUIDE_CLEAR = derive(
    GUIDE_SMOOTH,
    name="guide-clear",
    about="a group-normed SiLU guide for the end of G's way: hardened less, more often right",
    epochs=18,
    adversarial=0.0,
)

DEFAULT = FLOW.name

RECIPES: dict[str, AnyRecipe] = {
    recipe.name: recipe
    for recipe in (
        *(FLOW, FLOW_MIDDLE, FLOW_START, JUDGE, WITNESS),
        *(GUIDE_SMOOTH, GUIDE_PLAIN, GUIDE_SHARP, GUIDE_CLEAR, ENCODER),
        *(*seed.LOG, *seed.VARIANTS),
    )
}


def find(name: str) -> AnyRecipe:
    """The recipe of that name.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    if name not in RECIPES:
        raise ValueError(f"no recipe {name!r}: choose from {', '.join(RECIPES)}")
    return RECIPES[name]


def teachers(recipe: AnyRecipe) -> set[str]:
    """The classifiers that a generator learned from, also while it was the one it started from."""
    if isinstance(recipe, ClassifierRecipe):
        return set()
    before = RECIPES.get(recipe.start or "")
    return {*recipe.teachers} | (teachers(before) if before else set())


def override(
    recipe: AnyRecipe,
    *,
    epochs: float | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    backbone: str | None = None,
) -> AnyRecipe:
    """The recipe with what the command line says instead; None leaves a field as it is.

    Raises:
        ValueError: a backbone for a recipe that has none.
    """
    if backbone is not None:
        recipe = _with_backbone(recipe, backbone)
    asked = {"epochs": epochs, "batch_size": batch_size, "lr": lr}
    changes = {name: value for name, value in asked.items() if value is not None}
    if isinstance(recipe, Recipe):
        return derive(recipe, procedure=changes)
    return derive(recipe, **changes)


def _with_backbone(recipe: AnyRecipe, backbone: str) -> AnyRecipe:
    if backbone_of(recipe) is None:
        raise ValueError(f"{recipe.name} has no backbone: leave --backbone out")
    if isinstance(recipe, Recipe):
        return derive(recipe, discriminator={"backbone": backbone})
    return derive(recipe, backbone=backbone)
