"""`cctranslate evaluate`: measure a bundle or a run on faces it was not trained on."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cctranslate.commands.fit import DATA
from cctranslate.commands.path_params import LocalPath

if TYPE_CHECKING:
    from cctranslate.training.fit import TrainingRun


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
    default=DATA,
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
    cctranslate evaluate --run runs/001-student --sheet s.png
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
    from cctranslate import bundle
    from cctranslate.training.data import fer2013
    from cctranslate.training.data.ferplus import load_votes
    from cctranslate.training.evaluate import evaluate as measure
    from cctranslate.training.evaluate import evaluate_run
    from cctranslate.training.metrics.sheets import translation_sheet

    splits = fer2013.load(data, partial(click.echo, err=True))
    data_and_votes = splits, load_votes(votes) if votes else None
    if run:
        taken = judge or bundle.shipped()
        evaluation = evaluate_run(run, taken, *data_and_votes, limit, critics=critics)
    else:
        folder = weights or bundle.shipped()
        evaluation = measure(folder, *data_and_votes, limit, critics=critics)
    click.echo(json.dumps(evaluation.figures) if as_json else table(evaluation.figures))
    if sheet:
        translation_sheet(evaluation.faces, evaluation.translated).save(sheet)
    if worst and evaluation.worst:
        evaluation.worst.save(worst)


def print_figures(run: TrainingRun) -> None:
    """Print what `evaluate` prints of the finished run, and write it to its `measured.json`."""
    from cctranslate import bundle
    from cctranslate.errors import UserError
    from cctranslate.recipes.classifiers import ClassifierRecipe
    from cctranslate.recipes.kinds import GENERATOR_RECIPES
    from cctranslate.training import run_folder
    from cctranslate.training.evaluate import evaluate_run

    measured = run.folder / run_folder.MEASURED
    if not isinstance(run.recipe, GENERATOR_RECIPES):
        if isinstance(run.recipe, ClassifierRecipe) and measured.exists():
            click.echo(judge_table(run_folder.read_json(measured)["judge"]))
        return
    if "PublicTest" not in run.splits:
        click.echo("not measured: the data has no PublicTest rows", err=True)
        return
    click.echo("measuring it on PublicTest faces, as `evaluate` does", err=True)
    try:
        figures = evaluate_run(run.folder, bundle.shipped(), run.splits, run.votes, None).figures
    except UserError as error:
        click.echo(f"not measured: {error}", err=True)
        return
    run_folder.write_json(measured, figures)
    click.echo(table(figures))


def table(figures: dict[str, Any]) -> str:
    """Format the figures as lines to read."""
    columns = (
        ("confirmed", "{:.1%}"),
        ("witnessed", "{:.1%}"),
        ("confidence", "{:.3f}"),
        ("identity", "{:.3f}"),
        ("change", "{:.1f}"),
        ("own_change", "{:.1f}"),
        ("roughness", "{:.2f}"),
        ("fid", "{:.2f}"),
        ("fid_real", "{:.2f}"),
        ("kid", "{:.3f}"),
        ("kid_real", "{:.3f}"),
    )
    lines = [f"{'target':9}" + "".join(f"{name:>12}" for name, _ in columns)]
    for emotion, row in (*figures["targets"].items(), ("mean", figures["mean"])):
        cells = ("" if row.get(name) is None else form.format(row[name]) for name, form in columns)
        lines.append(f"{emotion:9}" + "".join(f"{cell:>12}" for cell in cells))
    lines += [
        "",
        f"{figures['faces']} PublicTest faces that are not also in Training; cycle error "
        f"{figures['cycle_error']} gray levels; identity of other people "
        f"{figures['identity_of_other_people']}; FID and KID between the judge's features",
        "",
        "`batch` changes a face less if the judge reads it as the target already: then own_change "
        f"is {figures['already']['own_change']:.1f}, and {figures['already']['toned_down']:.1%} of "
        "the results of other faces are changed less",
        "",
        *_controls(figures),
        "",
        judge_table(figures["judge"]),
    ]
    if figures["witness"]:
        lines.append(judge_table(figures["witness"], "witness"))
    if "critics" in figures:
        lines.append(critics_table(figures["critics"]))
    return "\n".join(lines)


def critics_table(figures: dict[str, Any]) -> str:
    """Return the critics' figures as lines to read, an AUC with its standard error."""
    regions = {name: found for name, found in figures.items() if name != "learned_from"}
    lines = [
        "",
        "fresh critics' AUC, results against real faces (0.5: cannot be told, 1: always), beside "
        f"the floor of untouched faces; learned from {figures['learned_from']} results",
        f"{'target':9}" + "".join(f"{name:>15}{'floor':>7}" for name in regions),
    ]
    for emotion in regions["whole"]["targets"]:
        rows = (found["targets"][emotion] for found in regions.values())
        lines.append(f"{emotion:9}" + "".join(_auc(row) for row in rows))
    lines.append(f"{'mean':9}" + "".join(_auc(found) for found in regions.values()))
    return "\n".join(lines)


def _auc(row: dict[str, Any]) -> str:
    def text(name: str, form: str) -> str:
        return "" if row.get(name) is None else form.format(row[name])

    return f"{text('auc', '{:.3f}') + text('error', ' ±{:.3f}'):>15}{text('floor', '{:.3f}'):>7}"


def _controls(figures: dict[str, Any]) -> list[str]:
    """Format how strength and samples act."""
    names = ("strength", "confirmed", "confidence", "identity", "change")
    curve, styles = figures["strengths"], figures["diversity"]
    rates = ", ".join(f"{rate:.1%}" for rate in styles["confirmed"])
    return [
        "".join(f"{name:>12}" for name in names) + f"   on {figures['probed']} faces",
        *("".join(f"{line[name]:12.3f}" for name in names) for line in curve),
        f"{styles['samples']} samples of a face and target differ by {styles['apart']} gray levels "
        f"(the first from its source by {styles['change']})",
        f"confirmed, from the first sample to the last: {rates}; of the best of them "
        f"{styles['best']:.1%}",
    ]


def judge_table(figures: dict[str, Any], who: str = "judge") -> str:
    """Format a classifier's figures as lines to read."""
    lines = []
    for name, judged in figures.items():
        lines.append(
            f"{who} by {name} labels: accuracy {judged['accuracy']:.1%}, calibration error (ECE) "
            f"{judged['ece']:.3f}, {judged['faces']} faces"
        )
        lines += _confusion(judged["confusion"])
    return "\n".join(lines)


def _confusion(counts: list[list[int]]) -> list[str]:
    from cctranslate.emotions import EMOTIONS

    head = f"{'is / read as':14}" + "".join(f"{emotion:>9}" for emotion in EMOTIONS)
    rows = (
        f"{emotion:14}" + "".join(f"{count:9}" for count in row)
        for emotion, row in zip(EMOTIONS, counts, strict=True)
    )
    return [head, *rows]
