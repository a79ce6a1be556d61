"""`cctranslate fit`: train a recipe on FER2013."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cctranslate.commands.params import Number
from cctranslate.commands.progress import Progress

if TYPE_CHECKING:
    from cctranslate.recipes.spec import AnyRecipe
    from cctranslate.training.fit import TrainingRun
    from cctranslate.training.loop import RunResult

RUNS = Path("runs")


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("datasets/fer2013.csv"),
    show_default=True,
    help="fer2013.csv, icml_face_data.csv, a folder of train/<emotion>/, or a zip or tar.",
)
@click.option(
    "--votes",
    type=click.Path(path_type=Path),
    help="FER+ votes (ferplus.csv or fer2013new.csv), for better labels.",
)
@click.option("--recipe", help="The experiment; the default is our own.")
@click.option(
    "--sweep",
    help="Train each recipe of a search (t27) and print them by Frechet distance, nearest first.",
)
@click.option(
    "--backbone",
    metavar="FILE",
    help="ResNet50's weights, where a recipe has one: a file, or `random`.  [default: ImageNet's, "
    "by torchvision]",
)
@click.option("--list", "list_recipes", is_flag=True, help="List the recipes, a line each.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The run's folder.  [default: runs/<n>-<recipe>]",
)
@click.option("--epochs", type=Number(min=0, min_open=True), help="Override the recipe.")
@click.option("--batch-size", type=click.IntRange(min=2), help="Override the recipe.")
@click.option("--lr", type=Number(min=0, min_open=True), help="Override the recipe.")
@click.option(
    "--max-minutes",
    type=Number(min=0, min_open=True),
    help="End with a checkpoint before this time is over.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Same seed, same run.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda[:N].")
@click.option("--resume", is_flag=True, help="Go on with the run in -o, or the recipe's newest.")
@click.option("--dry-run", is_flag=True, help="Print the resolved recipe and its size, and stop.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def fit(
    data: Path,
    votes: Path | None,
    recipe: str | None,
    sweep: str | None,
    backbone: str | None,
    list_recipes: bool,
    out: Path | None,
    epochs: float | None,
    batch_size: int | None,
    lr: float | None,
    max_minutes: float | None,
    seed: int,
    device: str,
    resume: bool,
    dry_run: bool,
    quiet: bool,
) -> None:
    """Train a recipe on FER2013.

    \b
    cctranslate fit                                 our recipe on datasets/fer2013.csv
    cctranslate fit --data archive.zip --votes fer2013new.csv
    cctranslate fit --recipe t26 --epochs 1 -o runs/try
    cctranslate fit -o runs/try --recipe t26 --epochs 1 --resume
    cctranslate fit --recipe judge                  the classifier that confirms labels
    cctranslate fit --sweep t27 --epochs 1          which weights come nearest to real faces
    """
    from cctranslate.recipes import registry

    if list_recipes:
        for known in registry.RECIPES.values():
            click.echo(f"{known.name:14} {known.about}")
        return
    try:
        resolved = [
            registry.override(known, epochs=epochs, batch_size=batch_size, lr=lr, backbone=backbone)
            for known in _chosen(recipe, sweep)
        ]
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if sweep is not None and max_minutes is not None:
        raise click.UsageError("--sweep goes on where it was ended: leave --max-minutes out")
    if dry_run:
        for known in resolved:
            _describe(known)
        return
    if sweep is not None:
        from cctranslate.commands.sweep import search

        search(resolved, data, votes, out or RUNS / sweep, seed, device, quiet)
        return
    _train(resolved[0], data, votes, out, max_minutes, seed, device, resume, quiet)


def _chosen(recipe: str | None, sweep: str | None) -> Sequence[AnyRecipe]:
    """The recipe of that name, or all of that search.

    Raises:
        ValueError: there is none, or both are named.
    """
    from cctranslate.recipes import original_log, registry

    if sweep is None:
        return [registry.find(recipe or registry.DEFAULT)]
    if recipe is not None:
        raise ValueError("--sweep has recipes of its own: leave --recipe out")
    if sweep not in original_log.SWEEPS:
        raise ValueError(f"no search {sweep!r}: choose from {', '.join(original_log.SWEEPS)}")
    return original_log.SWEEPS[sweep]


def _train(
    recipe: AnyRecipe,
    data: Path,
    votes: Path | None,
    folder: Path | None,
    max_minutes: float | None,
    seed: int,
    device: str,
    resume: bool,
    quiet: bool,
) -> None:

    from cctranslate.training import device as devices
    from cctranslate.training import run_folder
    from cctranslate.training.data import fer2013
    from cctranslate.training.data.ferplus import load_votes
    from cctranslate.training.fit import TrainingRun
    from cctranslate.training.loop import Limits

    chosen = devices.choose(device)
    splits = fer2013.load(data, partial(click.echo, err=True))
    known_votes = load_votes(votes) if votes else None
    if folder is None:
        find = run_folder.latest_folder if resume else run_folder.next_folder
        folder = find(RUNS, recipe.name)
    progress = Progress(quiet)
    job = TrainingRun(
        recipe=recipe,
        folder=folder,
        splits=splits,
        votes=known_votes,
        device=chosen,
        seed=seed,
        resume=resume,
        limits=Limits(max_minutes=max_minutes),
        on_start=progress.start,
        on_tick=progress.tick,
    )
    click.echo(f"{recipe.name} on {chosen}, in {folder}", err=True)
    if not _guarded(job, progress).finished:
        click.echo(
            f"{folder}: stopped at the time limit: the same command with -o {folder} --resume "
            "goes on",
            err=True,
        )
        return
    click.echo(f"{folder}: finished", err=True)
    _tell_figures(job)


def _tell_figures(job: TrainingRun) -> None:
    """Print what `evaluate` prints of the finished run, and keep it in its `measured.json`."""
    from cctranslate import bundle
    from cctranslate.commands.evaluate import judge_table, table
    from cctranslate.errors import UserError
    from cctranslate.recipes.spec import Recipe
    from cctranslate.training import run_folder
    from cctranslate.training.evaluate import evaluate_run

    kept = job.folder / run_folder.MEASURED
    if not isinstance(job.recipe, Recipe):
        if kept.exists():
            click.echo(judge_table(run_folder.read_json(kept)["judge"]))
        return
    if "PublicTest" not in job.splits:
        click.echo("not measured: the data has no PublicTest rows", err=True)
        return
    try:
        told = evaluate_run(job.folder, bundle.shipped(), job.splits, job.votes, None).figures
    except UserError as error:
        click.echo(f"not measured: {error}", err=True)
        return
    run_folder.write_json(kept, told)
    click.echo(table(told))


def _guarded(job: TrainingRun, progress: Progress) -> RunResult:
    from cctranslate.training.fit import fit as run

    try:
        return run(job)
    except KeyboardInterrupt:
        click.echo(
            f"\n{job.folder}: interrupted: the same command with -o {job.folder} --resume goes "
            "on from its last checkpoint",
            err=True,
        )
        raise
    finally:
        progress.close()


def _describe(recipe: AnyRecipe) -> None:
    import json

    from cctranslate.recipes.serialization import to_json

    click.echo(json.dumps(to_json(recipe), indent=2))
    from cctranslate.training.networks.cost import sizes

    for name, count in sizes(recipe).items():
        click.echo(f"{name}: {count:,} parameters", err=True)
