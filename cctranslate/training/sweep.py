"""Train several recipes on the same number of images, and compare them in a table."""

import json
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cctranslate.errors import DataError, WrongRunError
from cctranslate.recipes.components import IMAGENET
from cctranslate.recipes.gan import GanRecipe
from cctranslate.recipes.kinds import AnyRecipe
from cctranslate.recipes.registry import override
from cctranslate.training import loop, run_folder
from cctranslate.training.data.batches import Batches
from cctranslate.training.data.fer2013 import Splits
from cctranslate.training.data.ferplus import Votes, soft_labels
from cctranslate.training.data.sampler import Sampler
from cctranslate.training.evaluate import evaluate_run
from cctranslate.training.fit import TrainingRun, fit
from cctranslate.training.loop import Limits

ROW = "row.json"
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The settings that all recipes of a sweep share."""

    root: Path
    """The folder with a run for each recipe, by name."""
    splits: Splits
    votes: Votes | None
    device: torch.device
    judge: Path
    """A bundle or a judge's run that measures the translators."""
    images: int | None = None
    """Training faces that each recipe sees; None: by its `epochs`."""
    faces: int | None = None
    """PublicTest faces for measuring translators; None: all."""
    seed: int = 0
    on_start: Callable[[str, int, int], None] = lambda name, step, steps: None
    on_tick: Callable[[dict[str, Any]], None] = lambda line: None
    echo: Callable[[str], None] = lambda line: None

    def __post_init__(self) -> None:
        """Check the data now, and not when the first recipe is trained.

        Raises:
            DataError: There are no faces to measure recipes on.
        """
        if "PublicTest" not in self.splits:
            raise DataError("the data holds no PublicTest rows: recipes are compared on them")


def train(sweep: Sweep, recipe: AnyRecipe) -> Row:
    """Return a recipe's row: the stored one, or that of its run, which is trained or resumed.

    Raises:
        WrongRunError: The stored row is of another budget.
        UserError: As `fit` and `evaluate`.
    """
    folder = sweep.root / recipe.name
    in_budget = _in_budget(sweep, recipe)
    if (folder / ROW).exists():
        return _stored(sweep, in_budget, folder)
    steps = round(in_budget.epochs * _steps_per_epoch(sweep, in_budget))
    run = TrainingRun(
        recipe=in_budget,
        folder=folder,
        splits=sweep.splits,
        votes=sweep.votes,
        device=sweep.device,
        seed=sweep.seed,
        resume=True,
        limits=Limits(tick_steps=max(1, min(500, steps // 4)), tick_seconds=0),
        on_start=sweep.on_start,
        on_tick=sweep.on_tick,
        echo=sweep.echo,
    )
    result = fit(run)
    row = _row(sweep, run, result.step)
    run_folder.write_json(folder / ROW, row)
    return row


def table(rows: Iterable[Row]) -> str:
    """Format the rows as a Markdown table; empty where a figure does not apply."""
    columns = (
        ("recipe", "{}"),
        ("steps", "{:,}"),
        ("confirmed", "{:.1%}"),
        ("identity", "{:.3f}"),
        ("fid", "{:.2f}"),
        ("cycle_error", "{:.1f}"),
        ("d_accuracy", "{:.1%}"),
        ("accuracy", "{:.1%}"),
        ("minutes", "{:.1f}"),
        ("ran_on", "{}"),
    )
    lines = ["| " + " | ".join(name.replace("_", " ") for name, _ in columns) + " |"]
    lines.append("|" + " --- |" * len(columns))
    for row in rows:
        cells = ("" if row.get(n) is None else form.format(row[n]) for n, form in columns)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def by_distance(rows: Iterable[Row]) -> list[Row]:
    """Sort translators' rows by Frechet distance, the nearest first; those without one last."""
    return sorted(rows, key=lambda row: (row["fid"] is None, row["fid"]))


def _stored(sweep: Sweep, recipe: AnyRecipe, folder: Path) -> Row:
    row = run_folder.read_json(folder / ROW)
    if run_folder.read_manifest(folder).recipe != recipe or row["faces"] != sweep.faces:
        raise WrongRunError(
            f"{folder}: holds a row of another budget or recipe: name another folder with -o"
        )
    return row


def _in_budget(sweep: Sweep, recipe: AnyRecipe) -> AnyRecipe:
    """Return the recipe with epochs for the sweep's number of images."""
    if sweep.images is None:
        return recipe
    faces_per_epoch = _steps_per_epoch(sweep, recipe) * recipe.batch_size
    return override(recipe, epochs=sweep.images / faces_per_epoch)


def _steps_per_epoch(sweep: Sweep, recipe: AnyRecipe) -> int:
    faces = sweep.splits["Training"]
    if isinstance(recipe, GanRecipe):
        return Batches(
            recipe.final_recipe.procedure, faces, sweep.votes, sweep.device, 0
        ).steps_per_epoch
    labels = soft_labels(faces, sweep.votes, recipe.vote_share)
    classes = labels[labels.sum(1) > 0].argmax(1)
    return Sampler(classes, recipe.batch_size, 0, 0).steps_per_epoch


def _row(sweep: Sweep, run: TrainingRun, steps: int) -> Row:
    lines = [json.loads(line) for line in (run.folder / loop.LOG).read_text().splitlines()]
    row: Row = {
        "recipe": run.recipe.name + _backbone_note(run.recipe),
        "images": sweep.images,
        "faces": sweep.faces,
        "steps": steps,
        "minutes": round(sum(line["seconds"] for line in lines) / 60, 2),
        "ran_on": _machine(sweep.device),
    }
    if not isinstance(run.recipe, GanRecipe):
        judged = run_folder.read_json(run.folder / run_folder.MEASURED)["judge"]["fer2013"]
        return row | {"accuracy": judged["accuracy"], "confusion": judged["confusion"]}
    figures = evaluate_run(
        run.folder, sweep.judge, run.splits, run.votes, sweep.faces, probing=False
    ).figures
    run_folder.write_json(run.folder / run_folder.MEASURED, figures)
    row |= {name: _mean(figures, run.recipe, name) for name in ("confirmed", "identity", "fid")}
    return row | {"cycle_error": figures["cycle_error"], "d_accuracy": _late_d_accuracy(lines)}


def _late_d_accuracy(lines: list[dict[str, Any]]) -> float:
    """Return D's mean accuracy over the last quarter of a run, by the lines of its log.

    A line has the mean over the steps since the line before. The last one may be of a single step.
    """
    ends = np.array([line["step"] for line in lines])
    steps = ends - np.maximum(np.concatenate([[0], ends[:-1]]), 0.75 * ends[-1])
    late = [(line["d_accuracy"], n) for line, n in zip(lines, steps, strict=True) if n > 0]
    accuracies, weights = zip(*late, strict=True)
    return round(float(np.average(accuracies, weights=weights)), 6)


def _mean(figures: dict[str, Any], recipe: GanRecipe, name: str) -> float | None:
    """Average a figure over the targets that the recipe was trained for."""
    targets = recipe.final_recipe.procedure.domains or tuple(figures["targets"])
    values = [figures["targets"][target][name] for target in targets]
    measured = [value for value in values if value is not None]
    return round(sum(measured) / len(measured), 4) if measured else None


def _backbone_note(recipe: AnyRecipe) -> str:
    """Return a note on a backbone without ImageNet's weights."""
    source = recipe.backbone_weights or IMAGENET
    return f" (backbone: {Path(source).name})" if source != IMAGENET else ""


def _machine(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"CPU {platform.machine()}, {threads} thread" + "s" * (threads > 1)
