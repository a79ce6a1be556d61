"""Recipes as the JSON data that runs and bundles keep."""

from dataclasses import asdict
from typing import Any

from cctranslate.recipes.spec import (
    AnyRecipe,
    ClassifierRecipe,
    DiscriminatorSpec,
    GeneratorSpec,
    Procedure,
    Recipe,
    Weights,
)


def to_json(recipe: AnyRecipe) -> dict[str, Any]:
    """The recipe as plain JSON data."""
    return asdict(recipe)


def from_json(data: dict[str, Any]) -> AnyRecipe:
    """The recipe that `to_json` wrote.

    Raises:
        TypeError: fields are missing or unknown.
        ValueError: fields that contradict one another.
    """
    if "generator" not in data:
        return ClassifierRecipe(**{**data, "widths": tuple(data["widths"])})
    procedure = {
        **data["procedure"],
        "betas": tuple(data["procedure"]["betas"]),
        # A run of an older version has none.
        "domains": tuple(data["procedure"].get("domains", ())),
        "by_the_eyes": tuple(data["procedure"].get("by_the_eyes", ())),
    }
    parts = {
        "generator": GeneratorSpec(**data["generator"]),
        "discriminator": DiscriminatorSpec(**data["discriminator"]),
        "weights": Weights(**data["weights"]),
        "procedure": Procedure(**procedure),
        "guides": tuple(data["guides"]),
    }
    return Recipe(**{**data, **parts})
