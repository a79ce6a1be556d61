"""Options of `batch` about the run: devices, workers, shards, resuming, verbosity."""

from __future__ import annotations

from pathlib import Path

import click

from cctranslate.commands.options.path_types import PathOrUrl
from cctranslate.commands.options.shared import device_option, engine_option, precision_option
from cctranslate.commands.options.value_types import parse_shard

RUN_OPTIONS = (
    device_option,
    engine_option,
    precision_option,
    click.option(
        "--runner",
        type=click.Choice(("local", "ray")),
        default="local",
        show_default=True,
        help="Where inputs are translated: on this machine, or on a Ray cluster whose nodes share "
        "the inputs and OUT.",
    ),
    click.option(
        "--batch-size",
        type=click.IntRange(min=1),
        metavar="N",
        help="Faces in one run of the models, up to what is useful.  [default: by device]",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1, 256),
        metavar="N",
        help="Number of workers; on a CPU processes, each on a core.  [default: by cores]",
    ),
    click.option(
        "--processes/--threads",
        default=None,
        help="Work in processes, which on a CPU have models of their own, or in threads.  "
        "[default: threads, in longer runs processes]",
    ),
    click.option("--overwrite", is_flag=True, help="Start anew instead of resuming."),
    click.option(
        "--retry-failed", is_flag=True, help="Process again inputs that failed in an earlier call."
    ),
    click.option(
        "--weights",
        type=PathOrUrl(path_type=Path, file_okay=False),
        help="A bundle that `export` wrote.  [default: the one in the package]",
    ),
    click.option(
        "--shard",
        metavar="I/N",
        callback=parse_shard,
        help="Process only the I-th of N shards of the inputs, each into a different OUT; `slurm` "
        "takes both from the job array. `cctranslate report merge` joins the reports.",
    ),
    click.option(
        "--limit", type=click.IntRange(min=1), metavar="N", help="Process at most N inputs."
    ),
    click.option(
        "--dry-run", is_flag=True, help="List the results that would be written; write nothing."
    ),
    click.option(
        "--no-mark", is_flag=True, help="Leave out the metadata that marks results as AI-made."
    ),
    click.option("--no-progress", is_flag=True, help="Show no progress bar."),
    click.option("-q", "--quiet", is_flag=True, help="Print only errors."),
    click.option(
        "-v",
        "--verbose",
        is_flag=True,
        help="Name each input that fails or is skipped, as it happens.",
    ),
)
