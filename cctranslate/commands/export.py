"""`cctranslate export`: make the bundle that `batch` runs on."""

from __future__ import annotations

from math import nan
from pathlib import Path

import click

from cctranslate.commands.options.path_types import LocalPath


@click.command()
@click.argument("run", type=LocalPath(path_type=Path, file_okay=False))
@click.option(
    "-o",
    "--out",
    type=LocalPath(path_type=Path, file_okay=False),
    help="The bundle's folder.  [default: RUN/bundle]",
)
@click.option(
    "--judge",
    type=LocalPath(path_type=Path, file_okay=False),
    help="A run of the recipe `judge`, or of another classifier of expressions that taught neither "
    "the translator nor what it builds on; or a bundle to take it from.  [default: the shipped "
    "bundle]",
)
@click.option(
    "--witness",
    type=LocalPath(path_type=Path, file_okay=False),
    help="A run of the recipe `witness`, the second classifier of `evaluate`, or a bundle to take "
    "it from.  [default: the one that --judge's bundle holds, if any]",
)
@click.option(
    "--gain",
    metavar="[EMOTION=]X",
    multiple=True,
    help="At strength 1, change faces X times as far as the run's generator does: to EMOTION, or "
    "to all that are not named. Repeatable.  [default: as the recipe's discriminators saw them]",
)
@click.option(
    "--half",
    is_flag=True,
    help="Write graphs that compute in float16, for GPUs: half the size, no quicker on a CPU.",
)
def export(
    run: Path,
    out: Path | None,
    judge: Path | None,
    witness: Path | None,
    gain: tuple[str, ...],
    half: bool,
) -> None:
    """Write a run's ONNX bundle, which `batch` uses.

    A bundle is a generator, a judge and a card, `bundle.json`. It is written only if torch and
    onnxruntime agree on real faces. A run that is not finished is exported as it stands, with a
    warning.

    \b
    cctranslate export runs/001-mouth-student
    cctranslate export runs/001-mouth-student --judge runs/002-judge -o my-weights
    """
    from cctranslate import bundle

    try:
        gains = _gains(gain)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--gain") from None
    from cctranslate.training.export import export as write

    out = out or run / "bundle"
    card = write(run, judge or bundle.shipped(), out, gains, witness, half)
    if card["steps"] and card["step"] < card["steps"]:
        click.echo(
            f"{run}: not finished: exported after step {card['step']} of {card['steps']}", err=True
        )
    differ = f"torch and onnxruntime differ by {card['largest_difference']:.1g} at most"
    if half:
        differ += f", float16 and float32 by {max(card['float16'].values()):.1g}"
    click.echo(f"{out}: written; {differ}", err=True)
    click.echo(out)


def _gains(words: tuple[str, ...]) -> dict[str, float]:
    """Parse the values of `--gain`, such as `1.2` and `sad=1.5`.

    Returns:
        The factor of each expression. Values that name an expression win.

    Raises:
        ValueError: A value is no number from 0.1 to 3, or names no expression.
    """
    from cctranslate.emotions import EMOTIONS, parse_emotion

    everywhere: dict[str, float] = {}
    named: dict[str, float] = {}
    for word in words:
        emotion, _, number = word.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = nan
        if not 0.1 <= value <= 3:
            raise ValueError(f"{word}: expected 0.1 to 3, as in 1.2 or sad=1.5")
        if emotion:
            named[parse_emotion(emotion)] = value
        else:
            everywhere = dict.fromkeys(EMOTIONS, value)
    return everywhere | named
