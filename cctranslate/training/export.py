"""Export a run as a bundle: ONNX graphs that agree with torch on real faces, and a card."""

import shutil
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cctranslate import __version__, bundle
from cctranslate.emotions import EMOTIONS, NUM_CLASSES
from cctranslate.errors import ExportError, WrongRunError
from cctranslate.files.paths import real_path
from cctranslate.inference.sessions import OnnxRuntimeGraph
from cctranslate.pixels import to_scaled
from cctranslate.recipes import registry
from cctranslate.recipes.classifiers import ClassifierRecipe
from cctranslate.recipes.kinds import AnyRecipe
from cctranslate.recipes.serialization import to_json
from cctranslate.recipes.student import StudentRecipe
from cctranslate.training import checkpoint, run_folder
from cctranslate.training.exporting import bundle_folder
from cctranslate.training.exporting.export_graphs import JudgeGraph, TranslatorGraph
from cctranslate.training.exporting.fp16 import halve

OPSET = 18
TOLERANCE = 2e-3
"""The largest difference in [-1, 1] that passes: a quarter of a gray level."""
BATCHES = (1, 5)


def export(
    run: Path,
    judge: Path,
    out: Path,
    gain: Mapping[str, float] | None = None,
    witness: Path | None = None,
    half: bool = False,
) -> dict[str, Any]:
    """Write a run's bundle to `out` and return its card.

    The bundle is written whole or not at all. The card's `step` and `steps` tell whether the run
    is finished.

    Args:
        run: The folder of a translator's run.
        judge: A judge's run, or a bundle to take the judge from.
        out: The bundle's folder.
        gain: By expression, the factor of the generator's change at strength 1. By default it is
            the recipe's `strengths`, or 1.
        witness: A witness's run, or a bundle to take it from. By default the one of `judge`, if
            that is a bundle with a witness.
        half: Whether the graphs compute in float16; `float16` in the card then has the largest
            differences from float32.

    Raises:
        RunError, CheckpointError, BundleError: a run or bundle cannot be read, or is no judge.
        WrongRunError: `out` holds a model that no `export` wrote.
        ExportError: torch and onnxruntime differ.
        HalfError: float32 and float16 differ.
        OutputError: `out` cannot be written.
    """
    manifest = run_folder.read_manifest(run)
    recipe = manifest.recipe
    strengths = recipe.strengths if isinstance(recipe, StudentRecipe) else (1.0,) * NUM_CLASSES
    gains = dict(zip(EMOTIONS, strengths, strict=True)) | dict(gain or {})
    # The figures first: those of a run that finishes now are not of a checkpoint from before.
    figures = run / run_folder.MEASURED
    measured = run_folder.read_json(figures) if figures.exists() else {}
    # Once: of a run that is being trained, a second reading could give a later step.
    generator, saved = run_folder.load_translator(run)
    graph = TranslatorGraph(generator, tuple(gains.values())).eval()
    with checkpoint.explain_mismatch(run):
        faces = to_scaled(saved["trainer"]["faces"].numpy())[:, None]
    # Resolved, because files cannot be renamed into a link's target on another disk.
    out = real_path(out)
    bundle_folder.refuse_strangers(out)
    with (
        bundle_folder.written_to(out),
        tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as name,
    ):
        folder = Path(name)
        conditions = {
            "labels": np.eye(NUM_CLASSES, dtype=np.float32),
            "strength": np.linspace(0.4, 1, NUM_CLASSES, dtype=np.float32),
        }
        _write(graph, folder / "generator.onnx", {"faces": faces, **conditions}, _TRANSLATOR)
        differs = _largest_difference(
            graph, folder / "generator.onnx", _TRANSLATOR, faces, *conditions.values()
        )
        classifiers = _add_classifiers(judge, witness, recipe, folder, faces)
        graphs = sorted(folder.glob("*.onnx")) if half else []
        card = {
            "cctranslate": __version__,
            "recipe": to_json(recipe),
            "seed": manifest.seed,
            "step": saved["step"],
            "steps": saved.get("steps"),  # checkpoints of 0.1.0's first runs lack it
            "data": manifest.data,
            "gain": gains,
            "largest_difference": differs,
            "float16": {path.stem: halve(path, faces=faces, **conditions) for path in graphs},
            **classifiers,
            "measured": measured,
        }
        _copy_face_presence(judge, folder)
        bundle.write_card(folder, **card)
        bundle_folder.replace(folder, out)
    return card


_TRANSLATOR = {
    "input_names": ["faces", "labels", "strength"],
    "output_names": ["translated", "flow", "paint"],
    "dynamic_axes": {
        "faces": {0: "N"},
        "labels": {0: "K"},
        "strength": {0: "K"},
        **{name: {0: "N", 1: "K"} for name in ("translated", "flow", "paint")},
    },
}
_JUDGE = {
    "input_names": ["faces"],
    "output_names": ["probabilities", "features"],
    "dynamic_axes": {"faces": {0: "N"}, "probabilities": {0: "N"}, "features": {0: "N"}},
}


def _write(
    graph: nn.Module, path: Path, inputs: dict[str, np.ndarray], names: dict[str, Any]
) -> None:
    import onnx  # noqa: F401 - torch needs it, but its error would not name it

    args = tuple(torch.from_numpy(value) for value in inputs.values())
    with warnings.catch_warnings():
        # The TorchScript exporter is deprecated, but the new one needs another package and fixes
        # the number of targets. The graph is compared with torch afterwards anyway.
        warnings.simplefilter("ignore")
        torch.onnx.export(graph, args, str(path), opset_version=OPSET, dynamo=False, **names)


def _copy_face_presence(judge: Path, folder: Path) -> None:
    """Copy the face presence network, which does not depend on other models."""
    is_bundle = (judge / bundle.CARD).exists()
    source = bundle.load(judge if is_bundle else bundle.shipped())
    if source.holds(bundle.FACE_PRESENCE):
        shutil.copyfile(source.file(bundle.FACE_PRESENCE), folder / f"{bundle.FACE_PRESENCE}.onnx")


def _add_classifiers(
    judge: Path, witness: Path | None, translator_recipe: AnyRecipe, folder: Path, faces: np.ndarray
) -> dict[str, Any]:
    """Write the judge, and the witness if there is one; return their entries in the card."""
    if witness is None and not (judge / run_folder.MANIFEST).exists():
        witness = judge if bundle.load(judge).holds(bundle.WITNESS) else None
    card = {"judge": _add_classifier(judge, translator_recipe, folder / "judge.onnx", faces)}
    if witness:
        card |= {
            bundle.WITNESS: _add_classifier(
                witness, translator_recipe, folder / "witness.onnx", faces
            )
        }
    return card


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
    _check_judge(source, manifest.recipe, translator_recipe)
    graph = JudgeGraph(run_folder.load_classifier(source)).eval()
    _write(graph, path, {"faces": faces}, _JUDGE)
    return {
        "recipe": to_json(manifest.recipe),
        "seed": manifest.seed,
        "data": manifest.data,
        "largest_difference": _largest_difference(graph, path, _JUDGE, faces),
        "measured": run_folder.read_json(source / run_folder.MEASURED),
    }


def _check_judge(judge: Path, recipe: AnyRecipe, translator_recipe: AnyRecipe) -> None:
    """Refuse a run that is no judge, that taught the translator, or that is not finished."""
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


@torch.inference_mode()
def _largest_difference(
    graph: nn.Module, path: Path, names: dict[str, Any], *inputs: np.ndarray
) -> float:
    """Return the largest difference between the outputs of torch and onnxruntime on real faces."""
    onnx_graph = OnnxRuntimeGraph(path)
    worst = 0.0
    for size in BATCHES:
        values = [inputs[0][:size], *inputs[1:]]
        expected = graph(*(torch.from_numpy(value) for value in values))
        feeds = dict(zip(names["input_names"], values, strict=True))
        got = onnx_graph.run(names["output_names"], feeds)
        for ours, theirs in zip(expected, got, strict=True):
            worst = max(worst, float(np.abs(ours.numpy() - theirs).max()))
    if not worst <= TOLERANCE:
        raise ExportError(f"{path.name}: onnxruntime and torch differ by {worst:.2g}")
    return worst
