"""`cctranslate fit`: train a recipe on FER2013."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cctranslate.commands.fit_request import FitRequest
from cctranslate.commands.options.path_types import LocalPath
from cctranslate.commands.options.shared import DEFAULT_DATA, device_option
from cctranslate.commands.options.value_types import Number
from cctranslate.commands.progress import Progress
from cctranslate.commands.recipes import (
    RecipeName,
    SweepName,
    check_stage,
    chosen_recipes,
    print_recipe,
    print_recipes,
)

if TYPE_CHECKING:
    from cctranslate.recipes.kinds import AnyRecipe
    from cctranslate.training.fit import TrainingRun
    from cctranslate.training.loop import RunResult

RUNS = Path("runs")


@click.command()
@click.option(
    "--data",
    type=LocalPath(path_type=Path),
    default=DEFAULT_DATA,
    show_default=True,
    help="fer2013.csv, icml_face_data.csv, a folder of train/<emotion>/, or a zip or tar.",
)
@click.option(
    "--votes",
    type=LocalPath(path_type=Path),
    help="FER+ votes (ferplus.csv or fer2013new.csv), for better labels; or what `batch "
    "--soft-labels` wrote.",
)
@click.option(
    "--recipe",
    type=RecipeName(),
    help="The experiment, by its name in --list.  [default: mouth-student, our translator]",
)
@click.option(
    "--stage",
    type=RecipeName(),
    help="Train only up to this recipe, one of those that --recipe builds on (see --list).",
)
@click.option(
    "--sweep",
    type=SweepName(),
    help="Train all recipes that a sweep compares (t27); print them by Frechet distance.",
)
@click.option(
    "--backbone",
    metavar="FILE",
    help="Weights of the ResNet50 that some recipes use: a file, or `random`.  [default: "
    "ImageNet's, by torchvision]",
)
@click.option("--list", "list_recipes", is_flag=True, help="List the recipes.")
@click.option(
    "-o",
    "--out",
    type=LocalPath(path_type=Path, file_okay=False),
    help="The run's folder.  [default: runs/<n>-<recipe>]",
)
@click.option(
    "--epochs",
    type=Number(min=0, min_open=True),
    metavar="X",
    help="Passes over the faces. --epochs, --batch-size and --lr change only what is trained last.",
)
@click.option("--batch-size", type=click.IntRange(min=2), metavar="N", help="Faces in a step.")
@click.option(
    "--lr", type=Number(min=0, min_open=True, max=1000), metavar="X", help="Learning rate."
)
@click.option(
    "--max-minutes",
    type=Number(min=0, min_open=True),
    metavar="M",
    help="Stop with a checkpoint before this time is over.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    metavar="S",
    help="Random seed: the same seed repeats a run.",
)
@device_option
@click.option(
    "--resume", is_flag=True, help="Go on with the run in -o, or with the recipe's newest run."
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print the recipe (or the one of --stage) as it would be trained, what is trained before "
    "it, and the sizes of its networks; train nothing.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def fit(
    recipe: AnyRecipe | None,
    stage: AnyRecipe | None,
    sweep: str | None,
    backbone: str | None,
    list_recipes: bool,
    epochs: float | None,
    batch_size: int | None,
    lr: float | None,
    dry_run: bool,
    **options: Any,
) -> None:
    """Train a recipe on FER2013.

    \b
    cctranslate fit                                 our translator on datasets/fer2013.csv
    cctranslate fit --stage flow -o runs/ours       the first of the recipes that it builds on
    cctranslate fit --data archive.zip --votes fer2013new.csv
    cctranslate fit --recipe t26 --epochs 1 -o runs/try
    cctranslate fit --recipe t26 --epochs 1 -o runs/try --resume
    cctranslate fit --recipe judge                  the classifier that confirms labels
    cctranslate fit --sweep t27 --epochs 1          which weights come nearest to real faces
    """
    from cctranslate.recipes import registry

    if list_recipes:
        print_recipes()
        return
    request = FitRequest(**options)
    if sweep is not None and request.max_minutes is not None:
        raise click.UsageError("--sweep goes on where it was stopped: leave --max-minutes out")
    try:
        resolved = [
            registry.override(
                chosen, epochs=epochs, batch_size=batch_size, lr=lr, backbone=backbone
            )
            for chosen in chosen_recipes(recipe, sweep)
        ]
        if stage is not None:
            check_stage(stage, resolved, sweep, (epochs, batch_size, lr, backbone))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if dry_run:
        inner = stage is not None and stage.name != resolved[0].name
        for shown in [stage] if stage and inner else resolved:
            print_recipe(shown)
    elif sweep is not None:
        from cctranslate.commands.sweep import run_sweep

        run_sweep(resolved, request, request.out or RUNS / sweep)
    else:
        _train(resolved[0], stage, request)


def _train(recipe: AnyRecipe, stage: AnyRecipe | None, request: FitRequest) -> None:
    """Train a recipe, or its stages up to `stage`, and print the figures of the last one."""
    from cctranslate.commands.figures import measure_and_print
    from cctranslate.training import device as devices
    from cctranslate.training import run_folder
    from cctranslate.training.data import fer2013
    from cctranslate.training.data.ferplus import load_votes
    from cctranslate.training.fit import TrainingRun, plan_runs
    from cctranslate.training.loop import Limits

    chosen = devices.choose(request.device)
    echo = partial(click.echo, err=True)
    splits = fer2013.load(request.data, echo)
    votes = load_votes(request.votes) if request.votes else None
    find = run_folder.latest_folder if request.resume else run_folder.next_folder
    folder = request.out or find(RUNS, recipe.name)
    progress = Progress(request.quiet)
    run = TrainingRun(
        recipe=recipe,
        folder=folder,
        splits=splits,
        votes=votes,
        device=chosen,
        seed=request.seed,
        resume=request.resume,
        stage=None if stage is None else stage.name,
        limits=Limits(max_minutes=request.max_minutes),
        on_start=progress.start,
        on_tick=progress.tick,
        echo=echo,
    )
    click.echo(f"{recipe.name} on {chosen}, in {folder}", err=True)
    if not _run_training(run, progress).finished:
        click.echo(
            f"{folder}: stopped at the time limit: the same command with -o {folder} --resume "
            "goes on",
            err=True,
        )
        return
    last = plan_runs(run)[-1]
    click.echo(f"{last.folder}: finished", err=True)
    measure_and_print(last)


def _run_training(run: TrainingRun, progress: Progress) -> RunResult:
    from cctranslate.training.fit import fit as train

    try:
        return train(run)
    except KeyboardInterrupt:
        click.echo(
            f"\n{run.folder}: interrupted: the same command with -o {run.folder} --resume goes "
            "on from its last checkpoint",
            err=True,
        )
        raise
    finally:
        progress.close()
