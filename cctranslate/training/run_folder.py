"""Run folders: their names, manifests and JSON files, and loading their trained networks."""

import json
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from cctranslate import __version__
from cctranslate.errors import RunError, WrongRunError
from cctranslate.files.writing import unwritable, write_text
from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.gan import GanRecipe
from cctranslate.recipes.kinds import GENERATOR_RECIPES, AnyRecipe
from cctranslate.recipes.pairs import PairsRecipe
from cctranslate.recipes.serialization import from_json, to_json
from cctranslate.recipes.student import StudentRecipe
from cctranslate.recipes.teacher import MouthTeacherRecipe, TeacherRecipe
from cctranslate.training import checkpoint
from cctranslate.training.networks.classifiers import Classifier
from cctranslate.training.networks.denoiser import Denoiser
from cctranslate.training.networks.generator import Generator
from cctranslate.training.networks.registry import build_generator

N = TypeVar("N", bound=nn.Module)
MANIFEST = "recipe.json"
MEASURED = "measured.json"


@dataclass(frozen=True, kw_only=True)
class RunManifest:
    """Recipe, data and seed of a run: enough to repeat it."""

    recipe: AnyRecipe
    seed: int
    data: dict[str, Any]
    """SHA-256 `fingerprint`, faces by split, the votes' SHA-256 or none."""


def next_folder(root: Path, name: str) -> Path:
    """Return `root/<n>-<name>` with the next free number."""
    return root / f"{max(_numbered(root, '.*'), default=0) + 1:03d}-{name}"


def latest_folder(root: Path, name: str) -> Path:
    """Return the newest run of a recipe under `root`.

    Raises:
        RunError: There is none.
    """
    folders = _numbered(root, re.escape(name))
    if not folders:
        raise WrongRunError(f"{root}: no run of {name} to resume: name its folder with -o")
    return folders[max(folders)]


def _numbered(root: Path, pattern: str) -> dict[int, Path]:
    """Return the folders `root/<n>-<name>` with a name of that pattern, by number."""
    matches = ((re.fullmatch(rf"(\d+)-{pattern}", path.name), path) for path in root.glob("*"))
    return {int(match[1]): path for match, path in matches if match}


def write_manifest(folder: Path, manifest: RunManifest) -> None:
    """Make the folder and write `recipe.json` into it.

    Raises:
        OutputError: It cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from None
    content = {
        "recipe": to_json(manifest.recipe),
        "seed": manifest.seed,
        "data": manifest.data,
        "cctranslate": __version__,
        "torch": torch.__version__,
        "machine": platform.machine(),
    }
    write_json(folder / MANIFEST, content)


def read_manifest(folder: Path) -> RunManifest:
    """Read the manifest of the run in `folder`.

    Raises:
        RunError: The folder holds no run, or one that this version does not understand.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        recipe = from_json(content["recipe"])
        return RunManifest(recipe=recipe, seed=content["seed"], data=content["data"])
    except FileNotFoundError:
        raise WrongRunError(f"{path}: not found: name a run folder that `fit` wrote") from None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise RunError(
            f"{path}: not a recipe of this version ({error}): {checkpoint.remedy(folder)}"
        ) from None


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write indented JSON with a final newline, whole or not at all.

    Raises:
        OutputError: It cannot be written; what is at `path` stays as it was.
    """
    write_text(path, json.dumps(content, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read what `write_json` wrote.

    Raises:
        RunError: The file is missing, or is no JSON object.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise RunError(f"{path}: not what `fit` wrote")
    return content


def load_classifier(folder: Path) -> Classifier:
    """Load the averaged, calibrated classifier of a run, in evaluation mode.

    Raises:
        RunError, CheckpointError: There is no such run, or it is of another kind.
    """
    recipe = read_manifest(folder).recipe
    if not isinstance(recipe, ClassifierRecipe):
        raise WrongRunError(f"{folder}: a run of {recipe.name}, which is no classifier")
    return _averaged(Classifier(recipe), folder, recipe)


def load_denoiser(folder: Path) -> Denoiser:
    """Load the averaged denoiser of a teacher's run, in evaluation mode.

    Raises:
        RunError, CheckpointError: No such run, or one of another kind.
    """
    recipe = read_manifest(folder).recipe
    if not isinstance(recipe, TeacherRecipe):
        raise WrongRunError(f"{folder}: a run of {recipe.name}, which is no teacher")
    return _averaged(Denoiser(recipe), folder, recipe)


def _averaged(network: N, folder: Path, recipe: AnyRecipe) -> N:
    """Return a network with a run's averaged weights, in evaluation mode."""
    state = checkpoint.load(folder, recipe)["trainer"]
    with checkpoint.explain_mismatch(folder):
        network.load_state_dict(state["average"])
    return network.eval()


def load_generator(folder: Path) -> Generator:
    """Load the final generator of a run, in evaluation mode.

    Raises:
        RunError, CheckpointError: There is no such run, or it is of another kind.
    """
    return load_translator(folder)[0]


def load_translator(folder: Path) -> tuple[Generator, dict[str, Any]]:
    """Load the final generator of a run, and the checkpoint that it is from.

    Raises:
        RunError, CheckpointError: There is no such run, or it is of another kind.
    """
    recipe = read_manifest(folder).recipe
    if not isinstance(recipe, GENERATOR_RECIPES):
        raise WrongRunError(f"{folder}: a run of {recipe.name}, which is no translator")
    network = build_generator(recipe.generator)
    saved = checkpoint.load(folder, recipe)
    blend = recipe.last_stage.blend if isinstance(recipe, GanRecipe) else 0.0
    with checkpoint.explain_mismatch(folder):
        network.load_state_dict(checkpoint.final_generator_weights(saved["trainer"], blend))
    return network.eval(), saved


def student_discriminators(folder: Path) -> dict[str, Tensor]:
    """Return the discriminators' weights of a student's run; empty for other kinds.

    Raises:
        RunError, CheckpointError: No such run.
    """
    recipe = read_manifest(folder).recipe
    if not isinstance(recipe, StudentRecipe):
        return {}
    weights: dict[str, Tensor] = checkpoint.load(folder, recipe)["trainer"]["d"]
    return weights


def pairs_recipe(folder: Path) -> PairsRecipe:
    """Return the recipe of a run that made pairs.

    Raises:
        RunError: No such run, or one of another kind.
    """
    recipe = read_manifest(folder).recipe
    if not isinstance(recipe, PairsRecipe):
        raise WrongRunError(f"{folder}: a run of {recipe.name}, which makes no pairs")
    return recipe


def mouth_teacher_recipe(folder: Path) -> MouthTeacherRecipe:
    """Return the recipe of a run of a teacher of mouths.

    Raises:
        RunError: No such run, or one of another kind.
    """
    recipe = read_manifest(folder).recipe
    if not isinstance(recipe, MouthTeacherRecipe):
        raise WrongRunError(f"{folder}: a run of {recipe.name}, which is no teacher of mouths")
    return recipe
