"""Recipes as the JSON data that runs and bundles keep."""

from dataclasses import asdict, fields, is_dataclass
from typing import Any, get_origin

from cctranslate.recipes.spec import AnyRecipe, ClassifierRecipe, Recipe


def to_json(recipe: AnyRecipe) -> dict[str, Any]:
    """The recipe as plain JSON data."""
    return asdict(recipe)


def from_json(data: dict[str, Any]) -> AnyRecipe:
    """The recipe that `to_json` wrote.

    Raises:
        TypeError: fields are missing or unknown.
        ValueError: fields that contradict one another.
    """
    recipe: AnyRecipe = _read(Recipe if "generator" in data else ClassifierRecipe, data)
    return recipe


def _read(kind: Any, data: dict[str, Any]) -> Any:
    """A dataclass of its fields: JSON has lists for tuples, an older version lacks some fields."""
    given = {**data}
    for field in fields(kind):
        if field.name not in given:
            continue
        if is_dataclass(field.type):
            given[field.name] = _read(field.type, given[field.name])
        elif get_origin(field.type) is tuple:
            given[field.name] = tuple(given[field.name])
    return kind(**given)
