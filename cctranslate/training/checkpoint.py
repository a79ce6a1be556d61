"""Save and load checkpoints: the state for resuming a run, and the averaged weights for export."""

import errno
import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from cctranslate.errors import CheckpointError
from cctranslate.files.writing import replacing
from cctranslate.recipes.kinds import AnyRecipe
from cctranslate.recipes.serialization import from_json

FILE = "checkpoint.pt"
TEACHERS = "teachers"
"""The subfolder of the runs that a run builds on: guides, encoders, earlier stages."""
_OF_ANOTHER_SHAPE = (KeyError, RuntimeError, ValueError, TypeError, AttributeError)
"""Exceptions of torch and trainers for a state with other parts or shapes."""


def remedy(folder: Path) -> str:
    """Return what to do about a damaged file of a run, which may be one that another builds on."""
    if folder.parent.name == TEACHERS:
        return f"put back a copy of it, or remove {folder}: `fit --resume` trains it anew"
    return "put back a copy of it, or train anew in another folder"


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write the checkpoint whole or not at all, also if the power fails.

    Raises:
        CheckpointError: It cannot be written; the former checkpoint stays.
    """
    path = folder / FILE
    try:
        with replacing(path) as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())  # else the name could be on the disk before the content
    except OSError as error:
        raise unwritable(path, error) from None
    except RuntimeError as error:
        # torch replaces what ended the writing by an error on the position in the file.
        ended_by = error.__context__
        if ended_by is not None and not isinstance(ended_by, Exception):  # such as Ctrl-C
            raise ended_by from None
        raise unwritable(path, ended_by if isinstance(ended_by, OSError) else error) from None


def is_finite(state: object) -> bool:
    """Return whether all numbers are finite in a state: tensors in mappings and lists."""
    if isinstance(state, Tensor):
        return bool(torch.isfinite(state).all())
    if isinstance(state, Mapping):
        return all(map(is_finite, state.values()))
    return not isinstance(state, list | tuple) or all(map(is_finite, state))


def unwritable(path: Path, error: Exception) -> CheckpointError:
    """Return the error for a file that a run cannot write."""
    is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    then = "make room" if is_full else "mend that"
    return CheckpointError(
        f"{path}: cannot be written ({_first_line(error)}): {then} and go on from the last "
        "checkpoint with --resume"
    )


def load(folder: Path, recipe: AnyRecipe) -> dict[str, Any]:
    """Read the checkpoint of a run of `recipe` onto the CPU.

    Raises:
        CheckpointError: There is none yet, it is unreadable, or it is of another recipe.
    """
    path = folder / FILE
    try:
        with path.open("rb") as file:
            _compare_checksums(file)
            state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: not found: the run has no checkpoint yet: go on with `fit --resume`"
        ) from None
    except Exception as error:
        reason = _first_line(error).partition(". ")[0]  # torch's messages are long
        raise CheckpointError(
            f"{path}: not a readable checkpoint ({reason}): {remedy(folder)}"
        ) from None
    if not _is_state(state):
        raise CheckpointError(f"{path}: not a checkpoint that `fit` wrote: {remedy(folder)}")
    # Parsed before comparing: an older checkpoint lacks fields that have defaults now.
    if not _same(state["recipe"], recipe):
        raise CheckpointError(
            f"{path}: of another recipe than the {recipe.name} beside it: {remedy(folder)}"
        )
    return state


def _compare_checksums(file: BinaryIO) -> None:
    """Compare the checksums of a checkpoint's parts, which torch writes and does not read.

    Raises:
        BadZipFile: A part was altered, or the file is not whole.
    """
    with zipfile.ZipFile(file) as archive:
        altered = archive.testzip()
    if altered is not None:
        raise zipfile.BadZipFile(f"altered since it was written: {altered}")
    file.seek(0)


@contextmanager
def explain_mismatch(folder: Path) -> Iterator[None]:
    """Turn errors of loading a checkpoint's state in the block into one that says why.

    Raises:
        CheckpointError: The checkpoint of `folder` is of other networks, or incomplete.
    """
    try:
        yield
    except _OF_ANOTHER_SHAPE as error:
        raise CheckpointError(
            f"{folder / FILE}: does not fit the run's networks ({_first_line(error)}): another "
            f"version of cctranslate wrote it, or it is not whole: {remedy(folder)}"
        ) from None


def _is_state(state: object) -> bool:
    """Return whether a checkpoint has all parts, with the right types."""
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
    """Return the final weights of G, from its trainer's state.

    They are the averaged weights, blended with a fraction `blend` of the initial weights.
    """
    average: dict[str, Tensor] = state["average"]
    if not blend:
        return average
    return {name: torch.lerp(value, state["began"][name], blend) for name, value in average.items()}
