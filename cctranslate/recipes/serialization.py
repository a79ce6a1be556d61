"""Convert recipes to and from the JSON data in run folders and bundles."""

from dataclasses import asdict, fields, is_dataclass
from typing import Any, get_args, get_origin

from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.gan import GanRecipe
from cctranslate.recipes.kinds import AnyRecipe
from cctranslate.recipes.pairs import PairsRecipe
from cctranslate.recipes.student import MouthStudentRecipe, StudentRecipe
from cctranslate.recipes.teacher import MouthTeacherRecipe, TeacherRecipe


def to_json(recipe: AnyRecipe) -> dict[str, Any]:
    """Return the recipe as plain JSON data."""
    return asdict(recipe)


def from_json(data: dict[str, Any]) -> AnyRecipe:
    """Return the recipe from the data that `to_json` returned.

    Raises:
        TypeError: Fields are missing or unknown.
        ValueError: Fields that contradict one another.
    """
    # A field of each kind that no later kind has.
    kinds = {
        "mouth_teacher": MouthStudentRecipe,
        "started_by": MouthTeacherRecipe,
        "pairs": StudentRecipe,
        "generator": GanRecipe,
        "embedding": TeacherRecipe,
        "draws": PairsRecipe,
    }
    kind = next((kind for field, kind in kinds.items() if field in data), ClassifierRecipe)
    recipe: AnyRecipe = _read(kind, _with_stages(data) if "start" in data else data)
    return recipe


def _with_stages(data: dict[str, Any]) -> dict[str, Any]:
    """Convert a recipe from before there were stages.

    It named the recipe that it continued from, which now is the stage before its last one.
    """
    data = {**data, "procedure": {**data["procedure"]}, "weights": {**data["weights"]}}
    data["weights"]["self_translation"] = data["weights"].pop("own", 0.0)
    procedure = data["procedure"]
    procedure["upper_face_targets"] = procedure.pop("by_the_eyes", ())
    start, last = data.pop("start"), {"name": data["name"]}
    last |= {"fresh_d": procedure.pop("fresh_d", False), "blend": procedure.pop("kept", 0.0)}
    return data | {"stages": ({"name": start}, last)} if start else data


def _read(kind: Any, data: dict[str, Any]) -> Any:
    """Build a dataclass from JSON data; fields that are missing get their defaults."""
    values = {**data}
    for field in fields(kind):
        if field.name not in values:
            continue
        value, nested = values[field.name], get_args(field.type)
        if is_dataclass(field.type):
            value = _read(field.type, value)
        elif get_origin(field.type) is tuple and is_dataclass(nested[0]):
            value = tuple(_read(nested[0], part) for part in value)
        values[field.name] = _with_tuples(value)
    return kind(**values)


def _with_tuples(value: Any) -> Any:
    """Return JSON's lists as the tuples that recipes hold."""
    if isinstance(value, dict):
        return {name: _with_tuples(part) for name, part in value.items()}
    return tuple(value) if isinstance(value, list) else value
