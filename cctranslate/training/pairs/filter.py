"""Which draws a student learns from: those that guides, recognizer and critics let through."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cctranslate.emotions import EMOTIONS
from cctranslate.errors import RunError
from cctranslate.files import replacing
from cctranslate.training.data.computed_arrays import Arrays
from cctranslate.training.metrics.critics import REGIONS, train_critic
from cctranslate.training.metrics.realism import roc_auc
from cctranslate.training.pairs import store
from cctranslate.training.pairs.store import Draws

if TYPE_CHECKING:
    from cctranslate.training.pairs.draw import PairMaker

FOLDS = 2


def select(maker: "PairMaker") -> dict[str, Any]:
    """Choose among all draws of a finished run, and write them to `pairs.npz`.

    Critics are trained on draws that the guides and the recognizer let through, beside real faces
    of the same expressions; not on those of hard faces, some of which are all but the faces
    themselves. Of the draws of a face for a target those are kept that pass all three, surest first
    by the critic.

    Returns:
        Fractions kept by source and target, and the critics' AUC.

    Raises:
        RunError: too few draws are let through.
    """
    parts = [store.read(store.path_of(maker.folder, step)) for step in range(maker.steps)]
    draws = store.joined(parts)
    passing = draws.take(maker.passing(draws))
    learned = maker.strengths[passing.sources] == 1
    if len(np.unique(passing.sources[learned] % FOLDS)) < FOLDS:
        raise RunError(
            f"{maker.folder}: guides and recognizer let {len(passing)} of {len(draws)} draws "
            "through, too few to choose from: train the teacher for longer"
        )
    real = _real_like(maker, passing.targets[learned])
    fakeness, of_real = (
        np.stack(values)
        for values in zip(
            *(_fakeness(maker, passing, learned, real, region) for region in maker.recipe.critics),
            strict=True,
        )
    )
    limits = np.quantile(of_real, 1 - maker.recipe.critic_quantile, axis=1)
    chosen = (fakeness <= limits[:, None]).all(0)
    # Logits of different critics are compared by how far real faces' spread.
    realness = -((fakeness - of_real.mean(1)[:, None]) / of_real.std(1)[:, None]).max(0)
    selected, realness = passing.take(chosen), realness[chosen].astype(np.float32)
    order = np.lexsort((-realness, selected.targets, selected.sources))
    selected, realness = selected.take(order), realness[order]
    figures = {
        "draws": len(draws),
        "passing": len(passing),
        "kept": len(selected),
        "critic_auc_by_target": {
            region: _by_target(fakes[learned], passing.targets[learned], reals, maker.classes[real])
            for region, fakes, reals in zip(maker.recipe.critics, fakeness, of_real, strict=True)
        },
        "kept_fraction_by_way": _by_way(maker, draws, selected),
        "covered_by_source_and_target": _covered(maker, draws, selected),
    }
    _write(maker.folder / store.KEPT, selected, realness)
    return figures


def best(draws: Draws) -> NDArray[np.int64]:
    """Return the first draw of each face and target, of draws that lie together by these."""
    keys = draws.sources * len(EMOTIONS) + draws.targets
    return np.unique(keys, return_index=True)[1].astype(np.int64)


def _real_like(maker: "PairMaker", targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """As many real faces as there are targets, with the targets as their expressions.

    Else a critic would read the expression. Where there are too few they come again.
    """
    random = np.random.default_rng(maker.seed)
    rows = [np.zeros(0, np.int64)]
    for k in range(len(EMOTIONS)):
        mine = np.flatnonzero(maker.classes == k)
        if len(mine):
            rows.append(np.resize(random.permutation(mine), int((targets == k).sum())))
    return np.concatenate(rows)


def _fakeness(
    maker: "PairMaker",
    draws: Draws,
    learned: NDArray[np.bool_],
    real: NDArray[np.int64],
    region: str,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How sure critics of a region are that draws [M] and real faces [N] are results: logits.

    The critic of a fold of faces learned from those of the other one, and from what was made of
    them where `learned` [M] says so: else it knows the picture.
    """
    images = maker.faces.images[real]
    folds = draws.sources % FOLDS, real % FOLDS
    logits = np.zeros(len(draws), np.float32), np.zeros(len(real), np.float32)
    for fold in range(FOLDS):
        critic = train_critic(
            draws.images[learned & (folds[0] != fold)],
            images[folds[1] != fold],
            REGIONS[region],
            maker.device,
            seed=maker.seed,
            epochs=maker.recipe.critic_epochs,
        )
        logits[0][folds[0] == fold] = critic.score(draws.images[folds[0] == fold])
        logits[1][folds[1] == fold] = critic.score(images[folds[1] == fold])
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


def _by_way(maker: "PairMaker", draws: Draws, selected: Draws) -> list[float]:
    counts = [np.bincount(d.ways, minlength=len(maker.recipe.draws)) for d in (selected, draws)]
    return [round(float(k / max(n, 1)), 4) for k, n in zip(*counts, strict=True)]


def _covered(maker: "PairMaker", draws: Draws, selected: Draws) -> list[list[float | None]]:
    """[7][7]: the fraction of a source expression's faces with a kept result for a target."""
    table: list[list[float | None]] = []
    for source in range(len(EMOTIONS)):
        row: list[float | None] = []
        for target in range(len(EMOTIONS)):
            drawn, left = (_sources(maker, d, source, target) for d in (draws, selected))
            row.append(round(left / drawn, 4) if drawn else None)
        table.append(row)
    return table


def _sources(maker: "PairMaker", draws: Draws, source: int, target: int) -> int:
    """How many faces of a source expression have a draw for a target."""
    mine = (maker.classes[draws.sources] == source) & (draws.targets == target)
    return len(np.unique(draws.sources[mine]))


def _write(path: Path, selected: Draws, realness: NDArray[np.float32]) -> None:
    arrays: Arrays = {**vars(selected), "realness": realness}
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
