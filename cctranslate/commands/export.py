"""`cctranslate export`: make the bundle that `batch` runs on."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The bundle's folder.  [default: RUN/bundle]",
)
@click.option(
    "--judge",
    type=click.Path(path_type=Path, file_okay=False),
    help="A run of the recipe `judge`, or a bundle to take it from.  [default: the shipped bundle]",
)
@click.option(
    "--gain",
    type=click.FloatRange(0.1, 3),
    default=1.0,
    show_default=True,
    help="At strength 1 change faces so many times as far as the run itself does.",
)
def export(run: Path, out: Path | None, judge: Path | None, gain: float) -> None:
    """Write a run's ONNX bundle: generator, judge and card.

    Finishes only if torch and onnxruntime agree on real faces. A run that is not finished is
    exported as it stands, and said to be so.

    \b
    cctranslate export runs/001-flow
    cctranslate export runs/001-flow --judge runs/002-judge -o my-weights
    """
    from cctranslate import bundle
    from cctranslate.commands.needs import training_half

    with training_half():
        from cctranslate.training.export import export as write

        out = out or run / "bundle"
        told = write(run, judge or bundle.shipped(), out, gain)
    if told["steps"] and told["step"] < told["steps"]:
        click.echo(
            f"{run}: not finished: exported after step {told['step']} of {told['steps']}", err=True
        )
    click.echo(
        f"{out}: written; torch and onnxruntime differ by {told['largest_difference']:.1g} at most",
        err=True,
    )
    click.echo(out)
