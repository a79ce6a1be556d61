"""`cctranslate evaluate`: measure a bundle or a run on faces it was not trained on."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import click

from cctranslate.commands.figures import table
from cctranslate.commands.options.path_types import LocalPath
from cctranslate.commands.options.shared import DEFAULT_DATA


@click.command()
@click.option(
    "--weights",
    type=LocalPath(path_type=Path, file_okay=False),
    help="The bundle to measure.  [default: the one in the package]",
)
@click.option(
    "--run",
    type=LocalPath(path_type=Path, file_okay=False),
    help="A run that `fit` wrote, to measure instead of a bundle.",
)
@click.option(
    "--judge",
    type=LocalPath(path_type=Path, file_okay=False),
    help="With --run: a run of the recipe `judge`, or a bundle to take the judge from.  [default: "
    "the bundle in the package]",
)
@click.option(
    "--data",
    type=LocalPath(path_type=Path),
    default=DEFAULT_DATA,
    show_default=True,
    help="FER2013 in any form that `fit` reads.",
)
@click.option(
    "--votes",
    type=LocalPath(path_type=Path),
    help="FER+ votes, by which the classifiers are then measured, too.",
)
@click.option("--limit", type=click.IntRange(min=200), metavar="N", help="Measure on N faces only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option(
    "--sheet",
    type=LocalPath(path_type=Path, dir_okay=False),
    help="Write a picture of some faces and their results.",
)
@click.option(
    "--critics",
    is_flag=True,
    help="Train networks to tell results from real faces, and print how well they do. This takes "
    "minutes.",
)
@click.option(
    "--worst",
    type=LocalPath(path_type=Path, dir_okay=False),
    help="With --critics: write a picture of the results that they are surest of.",
)
def evaluate(
    weights: Path | None,
    run: Path | None,
    judge: Path | None,
    data: Path,
    votes: Path | None,
    limit: int | None,
    as_json: bool,
    sheet: Path | None,
    critics: bool,
    worst: Path | None,
) -> None:
    """Measure a bundle or a run on the PublicTest faces of FER2013.

    Prints how often results are read as their target, how far they are from real faces, whether
    the person stays the same, and how good the classifiers are. The guide to training says what
    each column means.

    \b
    cctranslate evaluate --data fer2013.csv                  the shipped bundle
    cctranslate evaluate --run runs/001-mouth-student --sheet s.png
    cctranslate evaluate --critics --worst w.png             do they look like photographs?
    """
    if run and weights:
        raise click.UsageError("--run and --weights: name one of them")
    if judge and not run:
        raise click.UsageError("--judge goes with --run")
    if worst and not critics:
        raise click.UsageError("--worst goes with --critics")
    from cctranslate.batch.outputs.encoding import FORMATS

    for name, picture in (("--sheet", sheet), ("--worst", worst)):
        if picture and picture.suffix.lower() not in FORMATS:
            raise click.BadParameter("name a .png, .jpg or .webp", param_hint=name)
        if picture and not picture.parent.is_dir():
            raise click.BadParameter(f"{picture.parent} is no folder", param_hint=name)
    from cctranslate import bundle
    from cctranslate.training.data import fer2013
    from cctranslate.training.data.ferplus import load_votes
    from cctranslate.training.evaluate import evaluate as measure
    from cctranslate.training.evaluate import evaluate_run
    from cctranslate.training.metrics.sheets import translation_sheet

    splits = fer2013.load(data, partial(click.echo, err=True))
    data_and_votes = splits, load_votes(votes) if votes else None
    if run:
        judge_folder = judge or bundle.shipped()
        evaluation = evaluate_run(run, judge_folder, *data_and_votes, limit, critics=critics)
    else:
        folder = weights or bundle.shipped()
        evaluation = measure(folder, *data_and_votes, limit, critics=critics)
    click.echo(json.dumps(evaluation.figures) if as_json else table(evaluation.figures))
    if sheet:
        translation_sheet(evaluation.faces, evaluation.translated).save(sheet)
    if worst and evaluation.worst:
        evaluation.worst.save(worst)
