"""The reports of a run's shards, or of other runs that were asked for the same, as one."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cctranslate.batch.outputs.folder import REPORT, RUN
from cctranslate.batch.report import formats
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.row import Row
from cctranslate.errors import OptionError

SHARD = "--shard"
OWN = (SHARD, "--unconfirmed-to")
"""What each share has of its own."""


def merge(folders: list[Path], path: Path) -> Counts:
    """Write the rows of the runs in `folders` in the form that a suffix says, and count them.

    Paths of results are made relative to the folder of `path`.

    Raises:
        OptionError: a folder holds no run, an unfinished one or one that was asked for something
            else, or a shard is missing or there twice.
        OutputError: `path` cannot be written.
    """
    _check([(folder, _run(folder)) for folder in folders])
    counts = Counts()
    formats.write(_rows(folders, path.parent, counts), path)
    return counts


def _rows(folders: list[Path], base: Path, counts: Counts) -> Iterator[Row]:
    for folder in folders:
        above = os.path.relpath(folder.resolve(), base.resolve())
        for rows, _ in formats.read_inputs(folder / REPORT):
            counts.add(rows)
            for row in rows:
                yield replace(row, output=f"{above}/{row.output}") if row.output else row


def _run(folder: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads((folder / RUN).read_text(encoding="utf-8"))
        asked, finished = dict(told["asked"]), told.get("finished")
        if asked.get(SHARD) is not None:
            number, count = map(int, asked[SHARD])
            asked[SHARD] = [number, count]
    except (OSError, ValueError, LookupError, TypeError, OverflowError, RecursionError):
        raise OptionError(
            f"{folder}: holds no run of batch: name the folders after its -o"
        ) from None
    if not finished:
        raise OptionError(f"{folder}: its run is not finished: the same command again goes on")
    return asked


def _check(asked: list[tuple[Path, dict[str, Any]]]) -> None:
    (first, known), *others = asked
    for folder, other in others:
        differing = [n for n in known | other if n not in OWN and known.get(n) != other.get(n)]
        if differing:
            raise OptionError(f"{folder} holds a run with another {differing[0]} than {first}")
    shares = [run.get(SHARD) for _, run in asked]
    if shares[0] is None and len(shares) == 1:
        return
    count = (shares[0] or [1, 1])[1]
    if any(share is None or share[1] != count for share in shares):
        raise OptionError(f"the runs have another {SHARD} than one of N each")
    numbers = [share[0] for share in shares if share]
    for number in range(1, count + 1):
        if numbers.count(number) != 1:
            what = "is missing" if number not in numbers else "is there twice"
            raise OptionError(f"share {number}/{count} {what}: name each share's folder once")
