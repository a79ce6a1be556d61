"""Contradictions in recipes; those of GAN recipes as a table of conditions and messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cctranslate.recipes.gan import GanRecipe

JUDGES = ("judge", "witness")
"""Classifiers that measure generators: no generator may be trained on them."""
Rule = tuple[Callable[["GanRecipe"], bool], str]

RULES: tuple[Rule, ...] = (
    (
        lambda r: bool(r.guides) != (r.weights.guide > 0),
        "guides and weights.guide go together",
    ),
    (
        lambda r: bool(r.encoders) != (r.weights.identity > 0),
        "encoders and weights.identity go together",
    ),
    (
        lambda r: r.weights.drift > 0 and not r.encoders,
        "weights.drift needs encoders",
    ),
    (
        lambda r: r.weights.likeness_drift > 0 and not r.weights.likeness,
        "weights.likeness_drift needs weights.likeness",
    ),
    (
        lambda r: r.weights.likeness_frechet > 0 and not r.weights.likeness,
        "weights.likeness_frechet needs weights.likeness",
    ),
    (
        lambda r: r.procedure.adversarial == "relativistic" and r.procedure.targets != "one",
        "adversarial 'relativistic' compares pairs, which need targets 'one'",
    ),
    (
        lambda r: r.procedure.paired and r.procedure.targets != "one",
        "procedure.paired needs targets 'one'",
    ),
    (
        lambda r: r.weights.classification > 0 and r.weights.d_class == 0,
        "weights.classification needs weights.d_class",
    ),
    (
        lambda r: r.discriminator.has_class_head != (r.weights.d_class > 0),
        "a discriminator with a class head ('strided', or any with head) and weights.d_class go "
        "together",
    ),
    (
        lambda r: r.procedure.warm_up > 0 and not r.guides,
        "procedure.warm_up needs guides to follow",
    ),
    (
        lambda r: r.weights.d_mismatch > 0 and not r.discriminator.sees_label,
        "weights.d_mismatch needs a discriminator that sees the label",
    ),
    (
        lambda r: r.procedure.g_parts > 1 and r.procedure.targets != "all-others",
        "g_parts needs targets 'all-others'",
    ),
    (
        lambda r: r.weights.smoothness > 0 and r.generator.kind != "flow",
        "weights.smoothness needs generator 'flow'",
    ),
)


def refuse_contradictions(recipe: GanRecipe) -> None:
    """Check a recipe without stages, or one stage of a recipe.

    Raises:
        ValueError: Fields contradict one another; the message names them.
    """
    refuse_judges(recipe.name, recipe.classifiers)
    for contradicts, message in RULES:
        if contradicts(recipe):
            raise ValueError(f"{recipe.name}: {message}")


def refuse_judges(recipe: str, classifiers: Iterable[str]) -> None:
    """Check that no classifier that teaches or selects is one that measures generators.

    Args:
        recipe: The name of the recipe, for the error.
        classifiers: The names of the recipe's guides and encoders.

    Raises:
        ValueError: One is.
    """
    for name in classifiers:
        if name in JUDGES:
            raise ValueError(f"{recipe}: it names the {name}, which only measures generators")
