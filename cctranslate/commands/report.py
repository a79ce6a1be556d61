"""`cctranslate report`: what to do with the reports of `batch`."""

from __future__ import annotations

from pathlib import Path

import click

from cctranslate.commands.params import report_file


@click.group()
def report() -> None:
    """Work with the reports of `batch`.

    \b
    cctranslate report merge out/1 out/2 out/3 -o report.csv
    """


@report.command()
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    metavar="OUT...",
    type=click.Path(path_type=Path),
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.csv"),
    show_default=True,
    callback=report_file,
    help="The report of all: .csv, .jsonl or .parquet by suffix.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@click.pass_context
def merge(context: click.Context, folders: tuple[Path, ...], out: Path, overwrite: bool) -> None:
    """Join the reports of the shards of one run, each in its OUT, and count them.

    Every share must be there, finished. Paths of results are relative to the joined report.

    \b
    cctranslate report merge out/1 out/2 out/3 -o report.csv
    """
    from cctranslate.batch.merge_reports import merge as join

    if out.exists() and not overwrite:
        raise click.UsageError(f"{out} is there: name another -o, or --overwrite")
    counts = join(list(folders), out)
    ends = ", ".join(
        f"{counts.inputs[status]} {status}" for status in ("done", "skipped", "failed")
    )
    click.echo(f"{counts.found} inputs: {ends}; report in {out}", err=True)
    for emotion, share in counts.confirmed_fractions().items():
        click.echo(f"  {emotion:9}{share:6.1%} of {counts.results[emotion]} confirmed", err=True)
    context.exit(counts.exit_code)
