"""Join the reports of a run's shards, or of runs with the same options."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cctranslate.batch.outputs.folder import REPORT, RUN, read_run, requested_of
from cctranslate.batch.report import formats
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.row import Row
from cctranslate.errors import OptionError
from cctranslate.files import real_path

SHARD = "--shard"
MAY_DIFFER = (SHARD, "--unconfirmed-to")
"""Options in which the shards of a run may differ."""


def merge(folders: list[Path], path: Path) -> Counts:
    """Write the rows of the runs in `folders` to one report, and count them.

    Paths of results are made relative to the folder of `path`.

    Raises:
        InputError: a report cannot be read.
        OptionError: a folder holds no run, an unfinished one or one with other options, a shard
            is missing or there twice, a report lacks inputs, or `path` lies in a run's folder.
        OutputError: `path` cannot be written.
    """
    if requested_of(path.parent):
        raise OptionError(
            f"-o {path}: {path.parent} holds nothing but a run's results: name another place"
        )
    _check([(folder, _options(folder)) for folder in folders])
    counts = Counts()
    formats.write(_rows(folders, path.parent, counts), path)
    return counts


def _rows(folders: list[Path], base: Path, counts: Counts) -> Iterator[Row]:
    for folder in folders:
        above = os.path.relpath(real_path(folder), real_path(base))
        before, latest = counts.found, None
        for rows, _ in formats.read_inputs(folder / REPORT):
            counts.add(rows, is_met=rows[0].source == latest)
            latest = rows[0].source
            for row in rows:
                yield replace(row, output=f"{above}/{row.output}") if row.output else row
        found = read_run(folder).get("found")
        if counts.found - before != found:
            raise OptionError(
                f"{folder / REPORT} has {counts.found - before} inputs, its run found {found}: "
                "the same command of batch again makes up for it"
            )


def _options(folder: Path) -> dict[str, Any]:
    """Return the options of a finished run, as `run.json` has them.

    Raises:
        OptionError: the folder holds no finished run.
    """
    try:
        is_run = (folder / RUN).exists()
    except OSError as error:
        raise OptionError(f"{folder}: cannot be read: {error.strerror}") from None
    if not is_run:
        raise OptionError(f"{folder}: holds no run of batch: name the folders after its -o")
    content = read_run(folder)
    options = dict(content["asked"])
    try:
        if options.get(SHARD) is not None:
            number, count = map(int, options[SHARD])
            options[SHARD] = [number, count]
    except (ValueError, TypeError, OverflowError):
        raise OptionError(f"{folder / RUN}: not what a run left") from None
    if not content.get("finished"):
        raise OptionError(f"{folder}: its run is not finished: the same command again goes on")
    return options


def _check(runs: list[tuple[Path, dict[str, Any]]]) -> None:
    """See that the runs have the same options, and that all shards are there once.

    Raises:
        OptionError: they are not the shards of one run.
    """
    (first, options), *others = runs
    for folder, other in others:
        names = [name for name in options | other if name not in MAY_DIFFER]
        differing = [name for name in names if options.get(name) != other.get(name)]
        if differing:
            raise OptionError(f"{folder} holds a run with another {differing[0]} than {first}")
    shards = [run.get(SHARD) for _, run in runs]
    if shards[0] is None and len(shards) == 1:
        return
    count = (shards[0] or [1, 1])[1]
    if any(shard is None or shard[1] != count for shard in shards):
        raise OptionError(f"{SHARD}: the runs are not shards I/N of one N: name those of one run")
    numbers = [shard[0] for shard in shards if shard]
    for number in range(1, count + 1):
        if numbers.count(number) != 1:
            what = "is missing" if number not in numbers else "is there twice"
            raise OptionError(f"shard {number}/{count} {what}: name each shard's folder once")
