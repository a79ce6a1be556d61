"""Join the reports of a run's shards."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cctranslate.batch.outputs.folder import (
    ALL_SHARDS,
    REPORT,
    REQUESTED,
    RUN,
    UNCONFIRMED,
    read_run,
    requested_of,
)
from cctranslate.batch.report import formats
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.row import Row
from cctranslate.errors import OptionError
from cctranslate.files.paths import real_path
from cctranslate.files.remote import is_remote

SHARD = "--shard"
MAY_DIFFER = (SHARD, UNCONFIRMED)
"""Options in which the shards of a run may differ."""
_INPUTS = {
    "inputs": "INPUT",
    "files_from": "--files-from",
    "include": "--include",
    "exclude": "--exclude",
    "limit": "--limit",
}
"""Options that decide which inputs there are, by their names in `run.json`."""
_LONGEST = 60
"""Characters of an option's value that an error shows."""
Run = tuple[Path, dict[str, Any]]
"""A run's folder, and the content of its `run.json`."""


def merge(folders: list[Path], path: Path) -> Counts:
    """Write the rows of the runs in `folders` to one report, and count them.

    Paths of results are made relative to the folder of `path`.

    Raises:
        InputError: A report cannot be read.
        OptionError: A folder is named twice, or holds no run, an unfinished one, no shard or one
            with other options or inputs; a shard is missing or there twice, a report lacks inputs,
            or `path` lies in a run's folder.
        OutputError: `path` cannot be written.
    """
    if requested_of(path.parent):
        raise OptionError(
            f"-o {path}: {path.parent} holds nothing but a run's results: name another place"
        )
    runs = [(folder, _finished_run(folder)) for folder in folders]
    _check_folders(folders)
    _check_options(runs)
    _check_shards(runs)
    _check_inputs(runs)
    counts = Counts()
    formats.write(_rows(folders, path.parent, counts), path)
    return counts


def _rows(folders: list[Path], base: Path, counts: Counts) -> Iterator[Row]:
    for folder in folders:
        above = os.path.relpath(real_path(folder), real_path(base))
        before, latest = counts.found, None
        for rows, _ in formats.read_inputs(folder / REPORT):
            counts.add(rows, has_earlier_rows=rows[0].source == latest)
            latest = rows[0].source
            for row in rows:
                yield replace(row, output=f"{above}/{row.output}") if row.output else row
        expected = read_run(folder).get("found")
        if counts.found - before != expected:
            raise OptionError(
                f"{folder / REPORT} has {counts.found - before} inputs, its run found {expected}: "
                "the same command of batch again makes up for it"
            )


def _finished_run(folder: Path) -> dict[str, Any]:
    """Return what `run.json` says of a finished run.

    Raises:
        OptionError: The folder holds no finished run.
    """
    try:
        is_run = (folder / RUN).exists()
    except OSError as error:
        raise OptionError(f"{folder}: cannot be read: {error.strerror}") from None
    if not is_run:
        raise OptionError(f"{folder}: holds no run of batch: name the folders after its -o")
    content = read_run(folder)
    try:
        if (shard := content[REQUESTED].get(SHARD)) is not None:
            number, count = map(int, shard)
            content[REQUESTED][SHARD] = [number, count]
        dict(content.get("options", {}))
    except (ValueError, TypeError, OverflowError):
        raise OptionError(f"{folder / RUN}: not what a run left") from None
    if not content.get("finished"):
        raise OptionError(f"{folder}: its run is not finished: the same command again goes on")
    return content


def _check_folders(folders: list[Path]) -> None:
    """Check that no folder is there twice, under any name.

    Raises:
        OptionError: One is.
    """
    named: dict[Path, Path] = {}
    for folder in folders:
        first = named.get(real_path(folder))
        if first is not None:
            as_before = "" if first == folder else f", first as {first}"
            raise OptionError(f"{folder}: named twice{as_before}: name each shard's folder once")
        named[real_path(folder)] = folder


def _check_shards(runs: list[Run]) -> None:
    """Check that all shards are there once. A run without shards is one by itself.

    Raises:
        OptionError: They are not the shards of one run.
    """
    shards = [run[REQUESTED].get(SHARD) for _, run in runs]
    if shards == [None]:
        return
    for (folder, _), shard in zip(runs, shards, strict=True):
        if shard is None:
            raise OptionError(
                f"{folder}: its run had no {SHARD}, so its report is complete by itself: name only "
                "folders of shards"
            )
        if shard[1] != shards[0][1]:
            raise OptionError(
                f"{folder}: its run is one of {shard[1]} shards, that of {runs[0][0]} one of "
                f"{shards[0][1]}: name the shards of one run"
            )
    numbers, count = [number for number, _ in shards], shards[0][1]
    for number in range(1, count + 1):
        if numbers.count(number) != 1:
            what = "is missing" if number not in numbers else "is there twice"
            raise OptionError(f"shard {number}/{count} {what}: name each shard's folder once")


def _check_options(runs: list[Run]) -> None:
    """Check that the runs have the same options, as far as these affect results.

    Raises:
        OptionError: One has others.
    """
    options = [
        {name: value for name, value in run[REQUESTED].items() if name not in MAY_DIFFER}
        for _, run in runs
    ]
    if found := _difference(runs, options):
        raise OptionError(f"{found}: make one anew with the options of the other, by --overwrite")


def _check_inputs(runs: list[Run]) -> None:
    """Check that the runs are shards of the same inputs.

    Raises:
        OptionError: One has others.
    """
    met = [run.get(ALL_SHARDS) for _, run in runs]
    if all(met) and all(record == met[0] for record in met):
        return  # whatever the words were that named them
    named = [_named_inputs(run.get("options", {})) for _, run in runs]
    if found := _difference(runs, named):
        raise OptionError(f"{found}: run the command of one with the inputs of the other")
    for key, name in (("inputs", "number of inputs"), ("names", "digest of inputs' names")):
        records = [{name: record.get(key)} for record in met if isinstance(record, dict)]
        if len(records) == len(runs) and (found := _difference(runs, records)):
            raise OptionError(
                f"{found}: files have come or gone: the same command of batch again for each "
                "shard makes up for it"
            )


def _named_inputs(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that decide which inputs there are: folders as they are compared."""
    named = {name: options.get(key) for key, name in _INPUTS.items()}
    if isinstance(words := named["INPUT"], list):
        plain = {word if is_remote(word) else str(Path(word)) for word in map(str, words)}
        named["INPUT"] = sorted(plain)
    return named


def _difference(runs: list[Run], compared: Sequence[dict[str, Any]]) -> str:
    """Return which run differs from most of the others, and in what; nothing if all are alike."""
    names = dict.fromkeys(name for values in compared for name in values)
    texts = {name: [json.dumps(values.get(name)) for values in compared] for name in names}
    common = {name: Counter(values).most_common(1)[0][0] for name, values in texts.items()}
    for k, (folder, _) in enumerate(runs):
        differing = [name for name in names if texts[name][k] != common[name]]
        if differing:
            like = texts[differing[0]].index(common[differing[0]])
            values, usual = compared[k], compared[like]
            words = [
                f"{name} {_spelled(values.get(name))}, not {_spelled(usual.get(name))}"
                for name in differing
            ]
            return (
                f"{folder} holds a run with another {' and '.join(differing)} than "
                f"{runs[like][0]} ({'; '.join(words)})"
            )
    return ""


def _spelled(value: Any) -> str:
    """Return an option's value for people, of a long one its beginning."""
    if isinstance(value, list):
        value = ",".join(map(str, value))
    if isinstance(value, dict):
        value = " ".join(map(str, value.values()))
    text = "none" if value is None or value is False or value == "" else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
