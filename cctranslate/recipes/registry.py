"""The recipes by name, in the groups that `fit --list` shows."""

from difflib import get_close_matches

from cctranslate.recipes import classifiers
from cctranslate.recipes.flow import FLOW
from cctranslate.recipes.gan import GanRecipe
from cctranslate.recipes.kinds import AnyRecipe
from cctranslate.recipes.original import code_differences, log_t1_to_t27
from cctranslate.recipes.pairs import PAIRS
from cctranslate.recipes.student import MOUTH_STUDENT, STUDENT, STUDENT_START
from cctranslate.recipes.teacher import MOUTH_TEACHER, TEACHER

OUR_TRANSLATOR = (
    FLOW,
    TEACHER,
    PAIRS,
    STUDENT_START,
    STUDENT,
    MOUTH_TEACHER,
    MOUTH_STUDENT,
)
"""The recipes of our translator, in the order of their training: each builds on those before it."""
DEFAULT = OUR_TRANSLATOR[-1].name
GROUPS: dict[str, tuple[AnyRecipe, ...]] = {
    "Our translator: `fit` trains these in order, and the last one is what ships": OUR_TRANSLATOR,
    "Its judges, and the classifiers that teach it": classifiers.ALL,
    "The original experiment log (README of gtesei/ccyclegan)": log_t1_to_t27.LOG,
    "t27 of the log (fit --sweep t27): t26 against other weights and learning rates": (
        *log_t1_to_t27.T26_WEIGHTS,
        log_t1_to_t27.T26_SLOW,
    ),
    "What the original code did where it differs from the log": code_differences.ALL,
}
RECIPES: dict[str, AnyRecipe] = {
    recipe.name: recipe for group in GROUPS.values() for recipe in group
}


def find(name: str) -> AnyRecipe:
    """Return the recipe of a name; `flow-late` is `flow` up to its stage `late`.

    Raises:
        ValueError: There is none; the message suggests a name, or lists those there are.
    """
    if name in RECIPES:
        return RECIPES[name]
    for recipe in RECIPES.values():
        if isinstance(recipe, GanRecipe) and name in stage_names(recipe):
            return recipe.until(name.removeprefix(f"{recipe.name}-"))
    raise ValueError(f"no recipe {name!r}: {suggestion(name, names())}")


def trained_before(recipe: AnyRecipe) -> list[AnyRecipe]:
    """Return all recipes that are trained before a recipe, in order, each once."""
    before: dict[str, AnyRecipe] = {}
    for needed in map(find, recipe.prerequisites):
        before |= {each.name: each for each in (*trained_before(needed), needed)}
    return [*before.values(), *recipe.earlier_stages]


def names() -> tuple[str, ...]:
    """Return every name that `find` accepts: recipes, and recipes up to a stage."""
    translators = [recipe for recipe in RECIPES.values() if isinstance(recipe, GanRecipe)]
    return (*RECIPES, *(name for recipe in translators for name in stage_names(recipe)))


def stage_names(recipe: GanRecipe) -> tuple[str, ...]:
    """Return the names of a recipe up to each of its stages."""
    return tuple(f"{recipe.name}-{stage.name}" for stage in recipe.stages)


def suggestion(word: str, choices: tuple[str, ...]) -> str:
    """Return "did you mean" with the choices that are close to a word, or all choices."""
    close = get_close_matches(word, choices)
    return f"did you mean {' or '.join(close)}?" if close else f"choose from {', '.join(choices)}"


def override(
    recipe: AnyRecipe,
    *,
    epochs: float | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    backbone: str | None = None,
) -> AnyRecipe:
    """Return the recipe with other values from the command line; None leaves a field as it is.

    If the recipe has stages, its last one is changed.

    Raises:
        ValueError: A backbone or learning rate for a recipe that has none.
    """
    if backbone is not None:
        recipe = recipe.with_backbone(backbone)
    named = {"epochs": epochs, "batch_size": batch_size, "lr": lr}
    return recipe.with_changes(**{name: v for name, v in named.items() if v is not None})
