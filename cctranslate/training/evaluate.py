"""Measure a bundle or a run on faces that it was not trained on."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cctranslate import bundle
from cctranslate.emotions import NUM_CLASSES
from cctranslate.errors import DataError
from cctranslate.inference import attenuation
from cctranslate.inference.conditions import plain_conditions
from cctranslate.inference.models import TranslationModels
from cctranslate.pixels import Gray
from cctranslate.training import device
from cctranslate.training.data.fer2013 import Faces, Splits, without_copies
from cctranslate.training.data.ferplus import Votes, matched
from cctranslate.training.export import export
from cctranslate.training.metrics.calibration import classifier_figures
from cctranslate.training.metrics.controls import controls
from cctranslate.training.metrics.distribution import Eigenfaces
from cctranslate.training.metrics.realism import fresh_critics
from cctranslate.training.metrics.sheets import surest_sheet
from cctranslate.training.metrics.targets import average, mean_figures, target_figures


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Figures, and pictures of faces with their translations [N,7,48,48]."""

    figures: dict[str, Any]
    faces: Gray
    translated: Gray
    worst: Image.Image | None
    """The results that critics are surest of, if critics were trained."""


def evaluate(
    folder: Path,
    splits: Splits,
    votes: Votes | None,
    limit: int | None,
    seed: int = 0,
    probing: bool = True,
    critics: bool = False,
) -> Evaluation:
    """Measure a bundle on PublicTest faces that are not also in Training.

    FID and KID compare results with the same number of Training faces of the target's class, in
    the judge's features; `fid_real` and `kid_real` compare two halves of the Training faces. A
    figure without faces is None.

    Args:
        folder: The bundle.
        splits: FER2013.
        votes: FER+ votes, by which the classifiers are measured, too.
        limit: Most faces to measure on.
        seed: Random seed of what is drawn.
        probing: Whether strengths and samples are measured, which takes most of the time.
        critics: Whether critics are trained, which takes minutes.

    Raises:
        BundleError: The bundle cannot be used.
        DataError: A split is missing, or the votes are for other faces.
    """
    random = np.random.default_rng(seed)
    test, training = _held_out(splits, votes, limit, random), splits["Training"]
    models = TranslationModels(bundle.load(folder), "cpu", engine="onnxruntime")
    eigenfaces = Eigenfaces(training.images)
    translated = models.generate(test.images, plain_conditions())
    targets = target_figures(models, test, translated, eigenfaces, training, random)
    of_source, shuffled = eigenfaces.embed(test.images), random.permutation(len(test))
    judged, witness = models.judge(test.images), models.witness(test.images)
    measured = {
        "faces": len(test),
        "targets": targets,
        "mean": mean_figures(targets),
        "identity_of_other_people": round(
            float((of_source * of_source[shuffled]).sum(1).mean()), 4
        ),
        "cycle_error": _cycle_error(models, test, translated),
        "already": _attenuation_figures(test, translated, judged),
        "judge": classifier_figures(judged, test, votes),
        "witness": None if witness is None else classifier_figures(witness, test, votes),
    }
    if probing:
        measured |= controls(models, test, eigenfaces, random)
    worst = None
    if critics:
        scored = fresh_critics(models, training, test, translated, device.choose("auto"), seed)
        measured["critics"], worst = scored.figures, surest_sheet(scored, test)
    return Evaluation(figures=measured, faces=test.images, translated=translated, worst=worst)


def _held_out(
    splits: Splits, votes: Votes | None, limit: int | None, random: np.random.Generator
) -> Faces:
    """Return PublicTest without copies of Training faces, at most `limit` of them."""
    if not {"Training", "PublicTest"} <= splits.keys():
        raise DataError("evaluate needs the Training and PublicTest rows of FER2013")
    test = without_copies(splits["PublicTest"], splits["Training"])
    if not len(test):
        raise DataError("evaluate needs PublicTest faces that are not also in Training")
    if votes is not None:
        matched(test, votes)
    if limit is not None and limit < len(test):
        test = test.take(np.sort(random.permutation(len(test))[:limit]))
    return test


def evaluate_run(
    run: Path,
    judge: Path,
    splits: Splits,
    votes: Votes | None,
    limit: int | None,
    probing: bool = True,
    critics: bool = False,
) -> Evaluation:
    """Measure a run through the bundle that `export` makes of it.

    Raises:
        RunError, CheckpointError, BundleError, ExportError: The run cannot be exported.
        DataError: A split is missing.
    """
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "bundle"
        export(run, judge, exported)
        return evaluate(exported, splits, votes, limit, probing=probing, critics=critics)


def _attenuation_figures(
    test: Faces, translated: Gray, judged: NDArray[np.float32]
) -> dict[str, Any]:
    """Return how `batch` attenuates translations [N,7,48,48] of faces that already show the target.

    `own_change` is the mean change of faces that have the target's label. `toned_down` is the
    fraction of attenuated results among faces of other expressions.
    """
    fractions = attenuation.fractions(judged, np.arange(NUM_CLASSES))
    label_index = np.arange(len(test)), test.labels
    attenuated = attenuation.attenuate(test.images, translated, fractions)[label_index]
    change = np.abs(attenuated.astype(np.float32) - test.images).mean((1, 2))
    means = [change[test.labels == k].mean() for k in np.unique(test.labels)]
    other = test.labels[:, None] != np.arange(NUM_CLASSES)
    return {
        "own_change": round(float(np.mean(means)), 4),
        "toned_down": average((fractions < 1)[other], 4),
    }


def _cycle_error(
    models: TranslationModels, test: Faces, translated: Gray, faces: int = 300
) -> float:
    """Return the mean absolute gray levels between faces and their translations translated back."""
    errors = []
    for k in np.unique(test.labels):
        rows = np.flatnonzero(test.labels == k)[: faces // NUM_CLASSES]
        flat = translated[rows].reshape(-1, *test.images.shape[1:])
        back = models.generate(flat, plain_conditions([int(k)]))[:, 0]
        gap = back.reshape(len(rows), NUM_CLASSES, *test.images.shape[1:]).astype(np.float32)
        errors.append(np.abs(gap - test.images[rows][:, None]).mean((1, 2, 3)))
    return round(float(np.concatenate(errors).mean()), 3)
