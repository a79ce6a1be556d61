"""The recipes, found by name: ours in `flow` and `classifiers`, the seed's log in `seed`."""

from cctranslate.recipes import classifiers, flow, original_log
from cctranslate.recipes.spec import AnyRecipe, ClassifierRecipe, Recipe, backbone_of, derive

DEFAULT = flow.FLOW.name

RECIPES: dict[str, AnyRecipe] = {
    recipe.name: recipe
    for recipe in (*flow.PARTS, *classifiers.ALL, *original_log.LOG, *original_log.VARIANTS)
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
