"""The classifiers of a bundle: written from runs, or copied from another bundle."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from cctranslate import bundle
from cctranslate.errors import WrongRunError
from cctranslate.recipes import registry
from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.kinds import AnyRecipe
from cctranslate.recipes.serialization import to_json
from cctranslate.training import run_folder
from cctranslate.training.exporting.graphs import JudgeGraph
from cctranslate.training.exporting.onnx_files import CLASSIFIER, write_graph


def add_classifiers(
    judge: Path, witness: Path | None, translator_recipe: AnyRecipe, folder: Path, faces: np.ndarray
) -> dict[str, Any]:
    """Write the judge, and the witness if there is one; return their entries in the card.

    Args:
        judge: A judge's run, or a bundle to take the judge from.
        witness: A witness's run, or a bundle to take it from. By default the one of `judge`, if
            that is a bundle with a witness.
        translator_recipe: The recipe of the translator that they judge.
        folder: The folder of the new bundle.
        faces: Real faces [N,1,48,48] in [-1,1], on which torch and onnxruntime are compared.

    Raises:
        RunError, CheckpointError, BundleError: A run or bundle cannot be read, or is no judge.
        ExportError: The outputs of torch and onnxruntime differ.
    """
    if witness is None and not (judge / run_folder.MANIFEST).exists():
        witness = judge if bundle.load(judge).holds(bundle.WITNESS) else None
    sources = {"judge": judge} | ({bundle.WITNESS: witness} if witness else {})
    return {
        name: _add_classifier(source, translator_recipe, folder / f"{name}.onnx", faces)
        for name, source in sources.items()
    }


def _add_classifier(
    source: Path, translator_recipe: AnyRecipe, path: Path, faces: np.ndarray
) -> dict[str, Any]:
    """Write a run's classifier to `path`, or copy a bundle's; return its entry in the card."""
    if not (source / run_folder.MANIFEST).exists():
        source_bundle = bundle.load(source)
        shutil.copyfile(source_bundle.file(path.stem), path)
        about: dict[str, Any] = source_bundle.card.get(path.stem, {})
        return about
    manifest = run_folder.read_manifest(source)
    check_judge(source, manifest.recipe, translator_recipe)
    graph = JudgeGraph(run_folder.load_classifier(source)).eval()
    return {
        "recipe": to_json(manifest.recipe),
        "seed": manifest.seed,
        "data": manifest.data,
        "largest_difference": write_graph(graph, path, CLASSIFIER, faces),
        "measured": run_folder.read_json(source / run_folder.MEASURED),
    }


def check_judge(judge: Path, recipe: AnyRecipe, translator_recipe: AnyRecipe) -> None:
    """Check that a run's classifier can judge a translator.

    Args:
        judge: The folder of the run.
        recipe: Its recipe.
        translator_recipe: The recipe of the translator.

    Raises:
        WrongRunError: It is no judge, taught the translator, or is not finished.
    """
    if not isinstance(recipe, ClassifierRecipe) or recipe.objective != "expression":
        raise WrongRunError(f"{judge}: a run of {recipe.name}, which is no judge")
    if recipe.name in {teacher.name for teacher in registry.trained_before(translator_recipe)}:
        raise WrongRunError(
            f"{judge}: a run of {recipe.name}, which taught the translator: no judge"
        )
    if not (judge / run_folder.MEASURED).exists():
        raise WrongRunError(
            f"{judge}: not measured and calibrated: finish it with `fit --resume`, on data with "
            "PublicTest rows"
        )


def copy_face_presence(judge: Path, folder: Path) -> None:
    """Copy the face presence network, which does not depend on other models.

    Args:
        judge: A bundle that may have one; if it is none, the bundle that ships is used.
        folder: The folder of the new bundle.

    Raises:
        BundleError: The bundle cannot be used.
    """
    is_bundle = (judge / bundle.CARD).exists()
    source = bundle.load(judge if is_bundle else bundle.shipped())
    if source.holds(bundle.FACE_PRESENCE):
        shutil.copyfile(source.file(bundle.FACE_PRESENCE), folder / f"{bundle.FACE_PRESENCE}.onnx")
