"""`cctranslate report`: work with the reports of `batch`."""

from __future__ import annotations

from pathlib import Path

import click

from cctranslate.commands.options.path_types import LocalPath
from cctranslate.commands.options.value_types import check_report_suffix


def _report_file(context: click.Context, parameter: click.Parameter, value: Path) -> Path:
    """Return a file whose suffix names a format of reports, in a folder that exists."""
    check_report_suffix(str(value))
    if not value.parent.is_dir():
        raise click.BadParameter(f"there is no folder {value.parent}: make it")
    return value


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
    type=LocalPath(path_type=Path),
)
@click.option(
    "-o",
    "--out",
    type=LocalPath(path_type=Path, dir_okay=False),
    default=Path("report.csv"),
    show_default=True,
    callback=_report_file,
    help="The joined report, as .csv, .jsonl or .parquet.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
@click.pass_context
def merge(context: click.Context, folders: tuple[Path, ...], out: Path, overwrite: bool) -> None:
    """Join the reports of the shards of one run into one report.

    Name the OUT folder of each shard; all must be finished. In the joined report the paths of
    results are relative to the folder that it is written to.

    \b
    cctranslate report merge out/1 out/2 out/3 -o report.csv

    \b
    Exit codes: 0 all done, 1 some pictures failed, 2 wrong usage, 3 no picture with a
    face to translate.
    """
    from cctranslate.batch.call import summary
    from cctranslate.batch.merge_reports import merge as join

    if out.exists() and not overwrite:
        raise click.UsageError(f"{out} exists: name another -o, or pass --overwrite")
    counts = join(list(folders), out)
    click.echo(f"{summary.counted_inputs(counts)}; report in {out}", err=True)
    for line in summary.confirmed_fractions(counts):
        click.echo(line, err=True)
    context.exit(counts.exit_code)
