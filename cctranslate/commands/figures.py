"""The figures of `evaluate` as tables. `fit` prints them, too, when a training has finished."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cctranslate.training.fit import TrainingRun


def measure_and_print(run: TrainingRun) -> None:
    """Measure a finished run as `evaluate` does, print the figures and write `measured.json`.

    Of a classifier print what its training measured. Other runs have no figures.
    """
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
    """Return the figures of `evaluate` as text."""
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
    """Return the critics' figures as text. Each AUC has its standard error."""
    regions = {name: region for name, region in figures.items() if name != "learned_from"}
    lines = [
        "",
        "fresh critics' AUC, results against real faces (0.5: cannot be told, 1: always), beside "
        f"the floor of untouched faces; learned from {figures['learned_from']} results",
        f"{'target':9}" + "".join(f"{name:>15}{'floor':>7}" for name in regions),
    ]
    for emotion in regions["whole"]["targets"]:
        rows = (region["targets"][emotion] for region in regions.values())
        lines.append(f"{emotion:9}" + "".join(_auc(row) for row in rows))
    lines.append(f"{'mean':9}" + "".join(_auc(region) for region in regions.values()))
    return "\n".join(lines)


def _auc(row: dict[str, Any]) -> str:
    def text(name: str, form: str) -> str:
        return "" if row.get(name) is None else form.format(row[name])

    return f"{text('auc', '{:.3f}') + text('error', ' ±{:.3f}'):>15}{text('floor', '{:.3f}'):>7}"


def _controls(figures: dict[str, Any]) -> list[str]:
    """Return lines that show the effect of strength and samples."""
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


def judge_table(figures: dict[str, Any], classifier: str = "judge") -> str:
    """Return a classifier's accuracy, calibration and confusion matrix as text."""
    lines = []
    for name, judged in figures.items():
        lines.append(
            f"{classifier} by {name} labels: accuracy {judged['accuracy']:.1%}, "
            f"calibration error (ECE) {judged['ece']:.3f}, {judged['faces']} faces"
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
