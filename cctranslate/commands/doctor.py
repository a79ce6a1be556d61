"""`cctranslate doctor`: what will run where, and what to mend."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cctranslate.commands.options.path_types import LocalPath
from cctranslate.commands.options.shared import device_option, engine_option, precision_option

if TYPE_CHECKING:
    from cctranslate.inference.engines import Engine
    from cctranslate.inference.openvino_graphs import Precision


@click.command()
@click.option(
    "--weights",
    type=LocalPath(path_type=Path, file_okay=False),
    help="The bundle to check.  [default: the one that comes with the package]",
)
@device_option
@engine_option
@precision_option
@click.pass_context
def doctor(
    context: click.Context,
    weights: Path | None,
    device: str,
    engine: Engine,
    precision: Precision,
) -> None:
    """Show and try what `batch` runs on, with advice if need be.

    \b
    cctranslate doctor
    cctranslate doctor --device cuda --weights runs/001-mouth-student/bundle

    \b
    Exit codes: 0 `batch` can run, 4 the bundle, onnxruntime or the device is unusable.
    """
    from cctranslate.batch.doctor import examine

    faults, fatal = 0, False
    for finding in examine(weights, device, engine, precision):
        click.echo(f"{finding.name:24}{finding.text}")
        if finding.advice:
            click.echo(f"{'':22}! {finding.advice}")
        faults += bool(finding.advice)
        fatal = fatal or finding.fatal
    click.echo(f"{faults} to mend" if faults else "nothing to mend")
    context.exit(4 if fatal else 0)
