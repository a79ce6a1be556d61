"""`--dry-run`: print what a call would do, and refuse what it would refuse."""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import assert_never

from cctranslate import bundle
from cctranslate.batch.call.iter_items import iter_items
from cctranslate.batch.call.options import Options
from cctranslate.batch.call.summary import plural
from cctranslate.batch.inputs.exclusions import InputFilter
from cctranslate.batch.manifest import identity
from cctranslate.batch.outputs.earlier.moved import Move, followed
from cctranslate.batch.outputs.folder import (
    FOLDER,
    REPORT,
    RUN,
    read_run,
    refuse_foreign_files,
    refuse_other_run,
)
from cctranslate.batch.outputs.layout import TABLE, Names
from cctranslate.batch.report.formats import read, read_inputs
from cctranslate.batch.report.resume import ResumeState
from cctranslate.batch.stages.balance import Balance
from cctranslate.batch.stages.setup import open_models
from cctranslate.batch.stores.run_files import fetch_run
from cctranslate.batch.validation import check
from cctranslate.faces.detector import FaceDetector

_ResultKey = tuple[str | None, str | None, float | None, int | None]
"""The name of an input's results, and the target, strength and sample of a result."""


def describe(options: Options, echo: Callable[[str], None]) -> int:
    """Print a line for each result of an input's first face, and return the exit code.

    A line is the input, a tab and the result's location, without the number of a tar or of a
    table's row; ` (there already)` follows if it exists. Inputs are not decoded, so some of the
    listed ones may turn out to be no pictures.

    Raises:
        BundleError, DeviceError: The bundle or the device cannot be used.
        InputError: An input is not there.
        OptionError: Options that cannot go together, or not with the run in OUT.
    """
    check(options)
    loaded = bundle.load(options.weights or bundle.shipped())
    models = open_models(options, loaded)
    fetch_run(options)
    if not options.stream:
        refuse_foreign_files(options.out, options.unconfirmed_folder, options.overwrite)
        if not options.overwrite:
            detector = FaceDetector().digest
            requested = identity(options, loaded.digests, detector, models.engine)
            refuse_other_run(options.out, requested)
    layout, names, reported = options.result_layout, Names(), _reported_results(options)
    count = results = existing = 0
    input_filter = InputFilter(options.include, options.exclude)
    items = iter_items(options, input_filter)
    if options.balance:
        items = replace(Balance.of(options), earlier=_earlier(options)).choose(items)
    for item in filter(None, items):
        count += 1
        name = names.claim(layout.base(item.relative))
        for variant in options.plan.variants:
            if item.chosen_targets is not None and variant.target not in item.chosen_targets:
                continue
            results += 1
            location = _location(options, layout.output_path(variant, name, 1, False))
            exists = (
                location.exists()
                if isinstance(location, Path)
                else (name, variant.target, variant.strength, variant.sample) in reported
            )
            existing += exists
            line = f"{item.source}\t{location}{' (there already)' * exists}\n"
            sys.stdout.buffer.write(os.fsencode(line))
    echo(
        f"{plural(count, 'input')} to {', '.join(options.targets)} in {options.destination}: "
        f"{plural(results, 'result')}, {existing:,} of them there already; nothing was written"
    )
    input_filter.echo_left_out(echo)
    return 0 if count else 3


def _earlier(options: Options) -> ResumeState | None:
    """Return the state of earlier calls by their report; None if the call starts anew."""
    if options.stream or options.overwrite or not (options.out / RUN).exists():
        return None
    run = read_run(options.out)
    base = Path(followed(options.out, run).get(FOLDER, Path.cwd()))
    move = Move.of(options.out, run, base)
    resume = ResumeState(
        options.targets,
        base=base,
        is_there=lambda _: True,
        altered=(),
        position=lambda _: None,
    )
    for rows, _ in read_inputs(options.out / REPORT):
        source = move.renamed(rows[0].source) if move else rows[0].source
        resume.add_rows([replace(row, source=source) for row in rows])
    return resume


def _location(options: Options, output: str) -> Path | str:
    """Return the location of a result: a path if it is a file by itself."""
    if options.out_file:
        return options.out_file
    if options.stream:
        return f"-:{output}"
    match options.layout:
        case "webdataset":
            return f"{options.destination / '*.tar'}:{output}"
        case "fer-csv":
            return str(options.destination / TABLE)
        case "imagefolder" | "tree":
            return options.destination / output
        case layout:
            assert_never(layout)


def _reported_results(options: Options) -> set[_ResultKey]:
    """Return the results that the report lists, in layouts without a file for each."""
    if options.stream or options.result_layout.has_files:
        return set()
    return {
        (row.result_name, row.target, row.strength, row.sample)
        for row in read(options.out / REPORT)
        if row.output
    }
