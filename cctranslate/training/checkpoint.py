"""Checkpoints: everything a run needs to go on, and the averaged weights that are exported."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cctranslate.errors import CheckpointError
from cctranslate.files import replacing
from cctranslate.recipes.kinds import AnyRecipe
from cctranslate.recipes.serialization import from_json

FILE = "checkpoint.pt"
_REMEDY = "put back a copy of it, or train anew in another folder"
_OF_ANOTHER_SHAPE = (KeyError, RuntimeError, ValueError, TypeError, AttributeError)
"""What torch and trainers raise of a state that has other parts or shapes."""


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write the checkpoint whole or not at all: a kill leaves the old one or the new one.

    Raises:
        CheckpointError: it cannot be written; the one before it stays.
    """
    path = folder / FILE
    try:
        with replacing(path) as file:
            torch.save(state, file)
    except (OSError, RuntimeError) as error:  # torch raises the latter
        raise unwritable(path, error) from None


def unwritable(path: Path, error: Exception) -> CheckpointError:
    """Return the error for what a run cannot write."""
    return CheckpointError(
        f"{path}: cannot be written ({_first_line(error)}): is the disk full? Make room and go on "
        "from the last checkpoint with --resume"
    )


def load(folder: Path, recipe: AnyRecipe) -> dict[str, Any]:
    """Read the checkpoint of a run of `recipe` onto the CPU.

    Raises:
        CheckpointError: none there yet, unreadable, or of another recipe.
    """
    path = folder / FILE
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: not found: the run has no checkpoint yet: go on with `fit --resume`"
        ) from None
    except Exception as error:
        reason = _first_line(error).partition(". ")[0]  # torch says much of itself
        raise CheckpointError(f"{path}: not a readable checkpoint ({reason}): {_REMEDY}") from None
    if not _is_state(state):
        raise CheckpointError(f"{path}: not a checkpoint that `fit` wrote: {_REMEDY}")
    # Read, not compared as it stands: an older checkpoint lacks fields that have defaults now.
    if not _same(state["recipe"], recipe):
        raise CheckpointError(f"{path}: of another recipe than the {recipe.name} beside it")
    return state


@contextmanager
def explain_mismatch(folder: Path) -> Iterator[None]:
    """Take over in the block what the checkpoint of `folder` holds, or say why it does not fit.

    Raises:
        CheckpointError: it is of other networks, or not whole.
    """
    try:
        yield
    except _OF_ANOTHER_SHAPE as error:
        raise CheckpointError(
            f"{folder / FILE}: does not fit the run's networks ({_first_line(error)}): another "
            "version of cctranslate wrote it, or it is not whole: start anew in another folder"
        ) from None


def _is_state(state: object) -> bool:
    """Return whether all that a run goes on from is there, and of its kind."""
    if not isinstance(state, dict) or not isinstance(state.get("trainer"), dict):
        return False
    step: Any = state.get("step")
    steps: Any = state.get("steps", math.inf)  # 0.1.0's first runs lack it
    numbers = isinstance(step, int) and isinstance(steps, int | float)
    return "recipe" in state and numbers and 0 <= step <= steps


def _same(saved: dict[str, Any], recipe: AnyRecipe) -> bool:
    try:
        return from_json(saved) == recipe
    except (TypeError, ValueError, KeyError):  # of a version with other fields
        return False


def _first_line(error: Exception) -> str:
    """Return the first line of an error; torch explains itself over many."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def final_generator_weights(state: dict[str, Any], blend: float) -> dict[str, Tensor]:
    """Return the weights of the G that a run ends with, from its trainer's state.

    They are those of the averaged G, and for a fraction `blend` those that the run began with.
    """
    average: dict[str, Tensor] = state["average"]
    if not blend:
        return average
    return {name: torch.lerp(value, state["began"][name], blend) for name, value in average.items()}
