"""`cctranslate batch`: translate folders of faces."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from cctranslate.commands.options.batch import batch_options
from cctranslate.emotions import parse_emotions
from cctranslate.errors import OutputError

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

    from cctranslate.batch.call.options import Options, ResultKind
    from cctranslate.batch.inputs.decoding import FaceMode
    from cctranslate.batch.inputs.job_array import Shard
    from cctranslate.batch.outputs.layout import LayoutName
    from cctranslate.faces.crops import FaceChoice
    from cctranslate.inference.engines import Engine
    from cctranslate.inference.openvino_graphs import Precision


@click.command()
@batch_options
@click.pass_context
def batch(
    context: click.Context,
    /,
    *,
    inputs: tuple[str, ...],
    to: tuple[tuple[str, ...], ...],
    out: Path,
    layout: LayoutName,
    faces: FaceMode,
    which: FaceChoice,
    result: ResultKind | None,
    metadata: Literal["keep", "drop"],
    files_from: str | None,
    null: bool,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    strength: tuple[tuple[float, ...], ...],
    samples: int,
    seed: int,
    best_of: int,
    min_confidence: float | None,
    confirmed_only: bool,
    unconfirmed_to: Path | None,
    per_class: int | None,
    balance: bool,
    soft_labels: bool,
    min_confirmed: float | None,
    max_failures: str | None,
    format: str,
    quality: int | None,
    report: str | None,
    html: bool,
    sheet: Path | None,
    no_sheet: bool,
    device: str,
    engine: Engine,
    precision: Precision,
    runner: Literal["local", "ray"],
    batch_size: int | None,
    workers: int | None,
    processes: bool | None,
    overwrite: bool,
    retry_failed: bool,
    weights: Path | None,
    shard: Shard | None,
    limit: int | None,
    dry_run: bool,
    no_mark: bool,
    no_progress: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Give every face in INPUT... another expression.

    INPUT is a picture, a folder (with its sub-folders), a quoted pattern, a zip or tar archive, a
    CSV in FER2013's form, a URL of one of these, or `-` for a picture from stdin. Faces are found
    in pictures of more than 96 pixels; a smaller picture is taken for a face. Results are the
    pictures with their faces changed. OUT/report.csv has a row for each result, with what the
    judge reads in it. The same command again resumes the run.

    \b
    cctranslate batch ./faces --to happy
    cctranslate batch ./photos --to happy,sad -o out
    cctranslate batch ./photos --to sad --result face
    cctranslate batch ./photos --to sad --which largest
    cctranslate batch ./faces --to sad --strength 0.5,1
    cctranslate batch ./faces --to fear --samples 3 --best-of 4
    cctranslate batch a.png b.png --to all --report - | jq .predicted
    cctranslate batch ./faces --to happy --layout tree
    cctranslate batch - --to happy -o - < a.jpg > b.png
    cctranslate batch ./faces --to disgust --confirmed-only --per-class 500
    cctranslate batch ./train --to all --balance -o more
    cctranslate batch fer2013.csv --to all --balance --layout fer-csv --soft-labels
    cctranslate batch faces.zip fer2013.csv --to surprise
    cctranslate batch ./faces --to sad --shard 1/8 -o out/1
    find . -name '*.jpg' -print0 | cctranslate batch -T - -0 --to fear

    \b
    Exit codes: 0 all done, 1 some pictures failed, 2 wrong usage, 3 no picture with a
    face to translate, 4 bundle or device unusable, 5 a threshold was missed,
    130 interrupted, 141 reader of stdout gone.
    """
    from cctranslate.batch.call.options import Options
    from cctranslate.batch.outputs.encoding import FORMATS
    from cctranslate.files.remote import is_remote

    out_file = out if out.suffix.lower() in FORMATS and not out.is_dir() else None
    options = Options(
        inputs=inputs,
        targets=parse_emotions(tuple(chain(*to))),
        out=out,
        store=out if is_remote(out) and not out_file else None,
        layout=layout,
        faces=faces,
        which=which,
        result=result or ("face" if layout == "fer-csv" else "picture"),
        metadata=metadata,
        files_from=files_from,
        null=null,
        include=include,
        exclude=exclude,
        strength=tuple(chain(*strength)),
        samples=samples,
        seed=seed,
        best_of=best_of,
        min_confidence=min_confidence,
        confirmed_only=confirmed_only,
        unconfirmed_to=unconfirmed_to,
        per_class=per_class,
        balance=balance,
        soft_labels=soft_labels,
        min_confirmed=min_confirmed,
        max_failures=max_failures,
        format=_format_of(context, out, format) if out_file else format,
        quality=quality,
        report=report,
        html=html,
        sheet=sheet,
        no_sheet=no_sheet,
        device=device,
        engine=engine,
        precision=precision,
        runner=runner,
        batch_size=batch_size,
        workers=workers,
        processes=processes,
        overwrite=overwrite,
        retry_failed=retry_failed,
        weights=weights,
        shard=shard,
        limit=limit,
        dry_run=dry_run,
        no_mark=no_mark,
        no_progress=no_progress,
        quiet=quiet,
        verbose=verbose,
        stream=out_file is not None or out == Path("-"),
        out_file=out_file,
    )
    with ExitStack() as stack:
        if options.store or (options.stream and not dry_run):
            folder = stack.enter_context(_temporary_folder())
            options = replace(options, out=Path(folder))
        code = _run(options)
    context.exit(code)


def _format_of(context: click.Context, path: Path, format: str) -> str:
    """Return the format that a file's suffix names; `--format` must not name another."""
    from cctranslate.batch.outputs.encoding import FORMATS

    from_suffix = FORMATS[path.suffix.lower()]
    is_given = context.get_parameter_source("format") is not click.core.ParameterSource.DEFAULT
    if is_given and format != from_suffix:
        raise click.UsageError(f"-o {path} and --format {format}: name one format")
    return from_suffix


def _temporary_folder() -> TemporaryDirectory[str]:
    from tempfile import TemporaryDirectory

    try:
        return TemporaryDirectory(prefix="cctranslate-")
    except OSError:
        raise OutputError(
            "a temporary folder is needed for the report, and none can be made: set TMPDIR to a "
            "folder that can be written"
        ) from None


def _run(options: Options) -> int:
    from tqdm import tqdm

    from cctranslate.batch.call.iter_items import count_items
    from cctranslate.batch.dry_run import describe
    from cctranslate.batch.run import BatchRun
    from cctranslate.commands.progress import BatchProgress
    from cctranslate.process.standard_streams import printable

    def speak(line: str) -> None:
        """Print a line above the progress bar, unless `--quiet` is given."""
        if not options.quiet:
            tqdm.write(printable(line), file=sys.stderr)

    if options.dry_run:
        return describe(options, speak)
    hidden = options.quiet or options.no_progress
    progress = BatchProgress(None if hidden else count_items(options), hidden=hidden)
    try:
        return BatchRun(options=options, echo=speak, progress=progress).run()
    finally:
        progress.close()
