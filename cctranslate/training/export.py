"""Export a run as a bundle: ONNX graphs that agree with torch on real faces, and a card."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cctranslate import __version__, bundle
from cctranslate.emotions import EMOTIONS, NUM_CLASSES
from cctranslate.files.paths import real_path
from cctranslate.pixels import to_scaled
from cctranslate.recipes.serialization import to_json
from cctranslate.recipes.student import MouthStudentRecipe, StudentRecipe
from cctranslate.training import checkpoint, run_folder
from cctranslate.training.exporting import bundle_folder
from cctranslate.training.exporting.classifiers import add_classifiers, copy_face_presence
from cctranslate.training.exporting.fp16 import halve, pack_weights, round_weights
from cctranslate.training.exporting.graphs import TranslatorGraph
from cctranslate.training.exporting.onnx_files import translator_names, write_graph


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
            differences from float32. Otherwise only the generator's weights are rounded to float16,
            and `largest_difference` is of the rounded ones.

    Raises:
        RunError, CheckpointError, BundleError: A run or bundle cannot be read, or is no judge.
        WrongRunError: `out` holds a model that no `export` wrote.
        ExportError: The outputs of torch and onnxruntime differ.
        Float16Error: Float32 and float16 differ.
        OutputError: `out` cannot be written.
    """
    manifest = run_folder.read_manifest(run)
    recipe = manifest.recipe
    strengths = (1.0,) * NUM_CLASSES
    if isinstance(recipe, StudentRecipe | MouthStudentRecipe):
        strengths = recipe.strengths
    gains = dict(zip(EMOTIONS, strengths, strict=True)) | dict(gain or {})
    # The figures first: those of a run that finishes now are not of a checkpoint from before.
    figures = run / run_folder.MEASURED
    measured = run_folder.read_json(figures) if figures.exists() else {}
    # Once: of a run that is being trained, a second reading could give a later step.
    generator, saved = run_folder.load_translator(run)
    graph = TranslatorGraph(generator, tuple(gains.values())).eval()
    round_weights(graph)
    names = translator_names(getattr(generator, "mouth", None) is not None)
    with checkpoint.explain_mismatch(run):
        faces = to_scaled(saved["trainer"]["faces"].numpy())[:, None]
    # Resolved, because files cannot be renamed into a link's target on another disk.
    out = real_path(out)
    bundle_folder.refuse_foreign_files(out)
    with (
        bundle_folder.written_to(out),
        tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as name,
    ):
        folder = Path(name)
        conditions = {
            "labels": np.eye(NUM_CLASSES, dtype=np.float32),
            "strength": np.linspace(0.4, 1, NUM_CLASSES, dtype=np.float32),
        }
        path = folder / "generator.onnx"
        differs = write_graph(graph, path, names, faces, *conditions.values())
        if not half:
            pack_weights(path)
        classifiers = add_classifiers(judge, witness, recipe, folder, faces)
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
        copy_face_presence(judge, folder)
        bundle.write_card(folder, **card)
        bundle_folder.replace(folder, out)
    return card
