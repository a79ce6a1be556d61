"""Select the draws that a student learns from: those that guides, recognizer and critics accept."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cctranslate.emotions import EMOTIONS
from cctranslate.errors import RunError
from cctranslate.files.writing import replacing
from cctranslate.recipes.pairs import PairsRecipe
from cctranslate.training.data.computed_arrays import Arrays, load_or_compute
from cctranslate.training.data.fer2013 import Faces
from cctranslate.training.metrics.critics import REGIONS, train_critic
from cctranslate.training.metrics.realism import roc_auc
from cctranslate.training.pairs import store
from cctranslate.training.pairs.store import Draws

CRITICS = "critics"
"""The folder of what critics say."""
FOLDS = 2
"""Critics are trained on one fold of the faces, and judge the other."""


class OutOfTimeError(Exception):
    """The time is over before all critics have scored: a later call goes on."""


@dataclass(frozen=True, kw_only=True)
class DrawnPairs:
    """All draws of a finished run, and the figures that decide which are selected."""

    recipe: PairsRecipe
    folder: Path
    """The run's folder."""
    faces: Faces
    classes: NDArray[np.int64]
    """The likeliest expression of each face; -1 for pictures without a face."""
    is_easy: NDArray[np.bool_]
    """Whether each face is easy to change."""
    draws: Draws
    is_passing: NDArray[np.bool_]
    """Whether the guides and the recognizer accept each draw."""
    device: torch.device
    seed: int


def select(run: DrawnPairs, is_over: Callable[[], bool] = lambda: False) -> dict[str, Any]:
    """Select among all draws of a finished run, and write the selected ones to `pairs.npz`.

    Draws are kept that the guides, the recognizer and all critics accept. Those of a face and
    target are in order, the one first that critics take for real most surely. Critics are trained
    on draws that guides and recognizer accept, beside real faces of the same expressions. Draws of
    hard faces are left out there, as some hardly differ from their faces.

    Returns:
        Fractions of kept draws by source and target, and the critics' AUC.

    Raises:
        RunError: The guides and the recognizer accept too few draws.
        OutOfTimeError: `is_over` said so once a critic had scored. Its scores are stored.
    """
    passing = run.draws.take(run.is_passing)
    learned = run.is_easy[passing.sources]
    if len(np.unique(passing.sources[learned] % FOLDS)) < FOLDS:
        raise RunError(
            f"{run.folder}: guides and recognizer let {len(passing)} of {len(run.draws)} draws "
            "through, too few to choose from: train the teacher for longer"
        )
    real = _real_like(run, passing.targets[learned])
    fakeness, of_real = (
        np.stack(values)
        for values in zip(
            *(
                _fakeness(run, passing, learned, real, region, is_over)
                for region in run.recipe.critics
            ),
            strict=True,
        )
    )
    limits = np.quantile(of_real, 1 - run.recipe.critic_quantile, axis=1)
    accepted = (fakeness <= limits[:, None]).all(0)
    # Each critic's logits are scaled by those of real faces, to compare critics.
    realness = -((fakeness - of_real.mean(1)[:, None]) / of_real.std(1)[:, None]).max(0)
    selected, realness = passing.take(accepted), realness[accepted].astype(np.float32)
    order = np.lexsort((-realness, selected.targets, selected.sources))
    selected, realness = selected.take(order), realness[order]
    figures = {
        "draws": len(run.draws),
        "passing": len(passing),
        "kept": len(selected),
        "critic_auc_by_target": {
            region: _by_target(fakes[learned], passing.targets[learned], reals, run.classes[real])
            for region, fakes, reals in zip(run.recipe.critics, fakeness, of_real, strict=True)
        },
        "kept_fraction_by_way": _by_spec(run, selected),
        "covered_by_source_and_target": _covered(run, selected),
    }
    _write(run.folder / store.KEPT, selected, realness)
    return figures


def best(draws: Draws) -> NDArray[np.int64]:
    """Return the index of the first draw of each face and target; equal ones must be adjacent."""
    keys = draws.sources * len(EMOTIONS) + draws.targets
    return np.unique(keys, return_index=True)[1].astype(np.int64)


def _real_like(run: DrawnPairs, targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return as many real faces as targets, with the targets as their expressions.

    Otherwise a critic would tell them by the expression. If there are too few, they are repeated.
    """
    random = np.random.default_rng(run.seed)
    rows = [np.zeros(0, np.int64)]
    for k in range(len(EMOTIONS)):
        of_class = np.flatnonzero(run.classes == k)
        if len(of_class):
            rows.append(np.resize(random.permutation(of_class), int((targets == k).sum())))
    return np.concatenate(rows)


def _fakeness(
    run: DrawnPairs,
    draws: Draws,
    learned: NDArray[np.bool_],
    real: NDArray[np.int64],
    region: str,
    is_over: Callable[[], bool],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return critics' logits that draws [M] and real faces [N] of a region are results.

    The critic of a fold was trained on the other fold: on its faces, and on its draws where
    `learned` [M] is true. What it says of its fold is stored, as a critic takes half an hour of a
    core.

    Raises:
        OutOfTimeError: `is_over` said so once a critic had scored.
    """
    images = run.faces.images[real]
    folds = draws.sources % FOLDS, real % FOLDS
    logits = np.zeros(len(draws), np.float32), np.zeros(len(real), np.float32)
    judged = (draws.images, draws.sources, images)
    for fold in range(FOLDS):

        def scored(fold: int = fold) -> Arrays:
            critic = train_critic(
                draws.images[learned & (folds[0] != fold)],
                images[folds[1] != fold],
                REGIONS[region],
                run.device,
                seed=run.seed,
                epochs=run.recipe.critic_epochs,
            )
            of_draws = critic.score(draws.images[folds[0] == fold])
            of_real = critic.score(images[folds[1] == fold])
            return {"draws": of_draws, "real": of_real}

        path = run.folder / CRITICS / f"{region}-{fold}.npz"
        was_there = path.exists()
        arrays = load_or_compute(path, judged, scored)
        logits[0][folds[0] == fold], logits[1][folds[1] == fold] = arrays["draws"], arrays["real"]
        if is_over() and not was_there:
            raise OutOfTimeError
    return logits


def _by_target(
    fakes: NDArray[np.float32],
    targets: NDArray[np.int64],
    reals: NDArray[np.float32],
    classes: NDArray[np.int64],
) -> dict[str, float | None]:
    """Return the area under the ROC curve, in all and for each target."""
    areas = {"all": roc_auc(fakes, reals)}
    areas |= {
        name: roc_auc(fakes[targets == k], reals[classes == k]) for k, name in enumerate(EMOTIONS)
    }
    return {name: None if area is None else round(area, 4) for name, area in areas.items()}


def _by_spec(run: DrawnPairs, selected: Draws) -> list[float]:
    """Return the selected fraction of the draws of each spec."""
    counts = [
        np.bincount(d.spec_indices, minlength=len(run.recipe.draws)) for d in (selected, run.draws)
    ]
    return [round(float(k / max(n, 1)), 4) for k, n in zip(*counts, strict=True)]


def _covered(run: DrawnPairs, selected: Draws) -> list[list[float | None]]:
    """Return the fraction of each expression's faces with a selected draw, by target [7][7]."""
    table: list[list[float | None]] = []
    for source in range(len(EMOTIONS)):
        row: list[float | None] = []
        for target in range(len(EMOTIONS)):
            drawn, covered = (_sources(run, d, source, target) for d in (run.draws, selected))
            row.append(round(covered / drawn, 4) if drawn else None)
        table.append(row)
    return table


def _sources(run: DrawnPairs, draws: Draws, source: int, target: int) -> int:
    """Return how many faces of a source expression have a draw for a target."""
    is_pair = (run.classes[draws.sources] == source) & (draws.targets == target)
    return len(np.unique(draws.sources[is_pair]))


def _write(path: Path, selected: Draws, realness: NDArray[np.float32]) -> None:
    arrays: Arrays = {**store.to_arrays(selected), "realness": realness}
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
