"""`cctranslate batch`: translate folders of faces."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cctranslate.commands.params import Number, device_option, failures, report_place, share
from cctranslate.errors import OutputError

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

    from cctranslate.batch.run import Job

FORMATS = ("png", "jpeg", "webp")
LAYOUTS = ("imagefolder", "tree", "webdataset", "fer-csv")


@click.command()
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option(
    "--to",
    multiple=True,
    required=True,
    metavar="EMOTION",
    help="angry, disgust, fear, happy, sad, surprise, neutral or `all`; several by commas or "
    "by repeating the option.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("translated"),
    show_default=True,
    help="Where results go; `-` writes the only result of one picture, or a tar of several, to "
    "stdout.",
)
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    default="imagefolder",
    show_default=True,
    help="imagefolder: flat, OUT/<emotion>/<path joined by __>; tree: OUT/<emotion>/<path>; "
    "webdataset: tar shards, OUT/000000.tar and so on; fer-csv: OUT/fer2013.csv, of faces.",
)
@click.option(
    "--faces",
    type=click.Choice(("auto", "whole", "detect")),
    default="auto",
    show_default=True,
    help="whole: each picture is a face; detect: find faces in it; auto: whole up to 96 pixels.",
)
@click.option(
    "--result",
    type=click.Choice(("picture", "face")),
    help="picture: with its faces changed, in its size and colours; face: each face, 48x48 gray.  "
    "[default: picture; face with --layout fer-csv]",
)
@click.option(
    "--metadata",
    type=click.Choice(("keep", "drop")),
    default="drop",
    show_default=True,
    help="Of result pictures: keep the source's EXIF data (camera, time, place) or drop it.",
)
@click.option(
    "-T", "--files-from", metavar="FILE", help="Read paths from a file, or from stdin with `-`."
)
@click.option("-0", "--null", is_flag=True, help="Paths of -T end in NUL, not newline.")
@click.option(
    "--strength",
    multiple=True,
    type=Number(0, 1),
    default=(1.0,),
    metavar="X",
    help="How far to go: 0 leaves a face as it was, 1 is full; repeat for a result each.  "
    "[default: 1]",
)
@click.option(
    "--samples",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="So many results of each face and expression, each with a trace of another expression.",
)
@click.option(
    "--best-of",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="K",
    help="Try K such results for each that is asked for; keep the one the judge is surest of.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    metavar="S",
    help="Of --samples and --best-of: the same seed, the same results.",
)
@click.option(
    "--min-confidence",
    type=Number(0, 1),
    metavar="P",
    help="What the judge must give the target to confirm it.  [default: the target must win]",
)
@click.option(
    "--confirmed-only",
    is_flag=True,
    help="Write no result that the judge denies; the report has its row all the same.",
)
@click.option(
    "--unconfirmed-to",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where results go that the judge denies, laid out as in OUT.",
)
@click.option(
    "--per-class",
    type=click.IntRange(min=1),
    metavar="N",
    help="Write no more than N results of each expression, and end when all have theirs.",
)
@click.option(
    "--min-confirmed",
    type=Number(0, 1),
    metavar="SHARE",
    help="Exit with 5 if the judge confirmed less than this of any expression's results.",
)
@click.option(
    "--max-failures",
    metavar="N|P%",
    callback=failures,
    help="Stop, and exit with 5, once more than N inputs failed, or more than P% of at least 100.",
)
@click.option(
    "--format",
    type=click.Choice(FORMATS),
    default="png",
    show_default=True,
    help="Of result files.",
)
@click.option(
    "--report",
    metavar="PATH",
    callback=report_place,
    help="Another copy of OUT/report.csv: .csv, .jsonl or .parquet by suffix, or `-` for JSON "
    "Lines on stdout.",
)
@click.option(
    "--html/--no-html",
    default=True,
    show_default=True,
    help="OUT/report.html: a page to look through the results in a browser.",
)
@click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Contact sheet.  [default: OUT-sheet.png, beside OUT]",
)
@device_option
@click.option(
    "--batch-size", type=click.IntRange(min=1), help="Faces a micro-batch.  [default: by device]"
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="How many decode and encode at once.  [default: by cores]",
)
@click.option(
    "--processes/--threads",
    default=None,
    help="What they are.  [default: processes beside a GPU, else threads]",
)
@click.option("--overwrite", is_flag=True, help="Start anew instead of going on.")
@click.option("--retry-failed", is_flag=True, help="Do again what failed in an earlier call.")
@click.option(
    "--weights",
    type=click.Path(path_type=Path, file_okay=False),
    help="A bundle that `export` wrote.  [default: the one that comes with the package]",
)
@click.option(
    "--shard",
    metavar="I/N",
    callback=share,
    help="Only the I-th of N shares of the inputs, each to an OUT of its own; `slurm` takes both "
    "from the job array. `cctranslate report merge` joins the reports.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many inputs.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@click.option("--no-mark", is_flag=True, help="Leave out the metadata that says AI-made.")
@click.option("--no-progress", is_flag=True, help="No progress bar.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("-v", "--verbose", is_flag=True, help="Name each input that fails as it happens.")
@click.pass_context
def batch(context: click.Context, /, **options: Any) -> None:
    """Give every face in INPUT... another expression.

    INPUT is a picture, a folder (searched through), a quoted pattern, a zip or tar archive, a
    CSV in FER2013's form or `-`, a picture from stdin. Faces are found in pictures of more than
    96 pixels; a smaller one is taken for a face. Results are the pictures with their faces
    changed; OUT/report.csv has a row for each face, with the judge's word on it. The same command
    again goes on where it stopped.

    \b
    cctranslate batch ./faces --to happy
    cctranslate batch ./photos --to happy,sad -o out
    cctranslate batch ./photos --to sad --result face
    cctranslate batch ./faces --to sad --strength 0.5 --strength 1
    cctranslate batch ./faces --to fear --samples 3 --best-of 4
    cctranslate batch a.png b.png --to all --report - | jq .predicted
    cctranslate batch ./faces --to happy --layout tree
    cctranslate batch - --to happy -o - < a.jpg > b.png
    cctranslate batch ./faces --to disgust --confirmed-only --per-class 500
    cctranslate batch faces.zip fer2013.csv --to surprise
    cctranslate batch ./faces --to sad --shard 1/8 -o out/1
    find . -name '*.jpg' -print0 | cctranslate batch -T - -0 --to fear

    \b
    Exit codes: 0 all done, 1 some pictures failed, 2 usage, 3 no pictures found,
    4 bundle or device unusable, 5 a bar that was asked for was missed, 130 interrupted,
    141 reader of stdout gone.
    """
    from contextlib import ExitStack

    if bool(options["inputs"]) == bool(options["files_from"]):
        raise click.UsageError("name INPUT... or --files-from, one of them")
    if options["overwrite"] and options["retry_failed"]:
        raise click.UsageError("--overwrite and --retry-failed: name one of them")
    if options["null"] and not options["files_from"]:
        raise click.UsageError("-0 goes with --files-from")
    if options["result"] is None:
        options["result"] = "face" if options["layout"] == "fer-csv" else "picture"
    from cctranslate.batch.options import Options
    from cctranslate.batch.run import Job
    from cctranslate.emotions import parse_emotions

    try:
        targets = parse_emotions(options.pop("to"))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--to") from None
    options["stream"] = options["out"] == Path("-")
    with ExitStack() as kept:
        if options["stream"] and not options["dry_run"]:
            options["out"] = Path(kept.enter_context(_temporary_folder()))
        job = Job(options=Options(**options, targets=targets), echo=_speaker(options))
        code = job.describe() if options["dry_run"] else _run(job)
    context.exit(code)


def _temporary_folder() -> TemporaryDirectory[str]:
    from tempfile import TemporaryDirectory

    try:
        return TemporaryDirectory(prefix="cctranslate-")
    except OSError:
        raise OutputError(
            "-o - needs a temporary folder for its report, and none can be made: set TMPDIR to a "
            "folder that can be written"
        ) from None


def _run(job: Job) -> int:
    from tqdm import tqdm

    hidden = True if job.options.quiet or job.options.no_progress else None
    with tqdm(desc="faces", unit=" inputs", disable=hidden, file=sys.stderr) as bar:
        return job.run(on_input=bar.update)


def _speaker(options: dict[str, Any]) -> Any:
    """Words for people go to stderr, above the progress bar, unless they asked for quiet."""
    from tqdm import tqdm

    def speak(line: str) -> None:
        if not options["quiet"]:
            tqdm.write(line, file=sys.stderr)

    return speak
