"""The options of `cctranslate batch`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cctranslate.commands.params import (
    EmotionList,
    FaceChoice,
    Format,
    Number,
    NumberList,
    device_option,
    engine_option,
    failures,
    limit_option,
    precision_option,
    report_target,
    runner_option,
    shard_option,
    sheet_options,
    verbosity_options,
    worker_options,
)
from cctranslate.commands.path_params import LocalPath, PathOrUrl

FORMATS = ("png", "jpeg", "webp", "same")
LAYOUTS = ("imagefolder", "tree", "webdataset", "fer-csv")


def batch_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of `batch`, in the order of its help."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_QUALITY = "Quality of jpeg and webp results.  [default: 95 for jpeg, lossless for webp]"
_OPTIONS: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
    click.argument("inputs", nargs=-1, metavar="INPUT..."),
    click.option(
        "--to",
        multiple=True,
        required=True,
        metavar="EMOTION",
        type=EmotionList(),
        help="angry, disgust, fear, happy, sad, surprise, neutral or `all`; several by commas or "
        "by repeating the option.",
    ),
    click.option(
        "-o",
        "--out",
        type=PathOrUrl(path_type=Path),
        default=Path("translated"),
        show_default=True,
        metavar="DIR|FILE",
        help="Where results go: a folder; a .png, .jpg or .webp file for the only result of "
        "one picture; or `-`, which writes that result, or a tar of several, to stdout.",
    ),
    click.option(
        "--layout",
        type=click.Choice(LAYOUTS),
        default="imagefolder",
        show_default=True,
        help="imagefolder: flat, OUT/<emotion>/<path joined by __>; tree: OUT/<emotion>/<path>; "
        "webdataset: OUT/000000.tar and so on; fer-csv: OUT/fer2013.csv, of faces.",
    ),
    click.option(
        "--faces",
        type=click.Choice(("auto", "whole", "detect")),
        default="auto",
        show_default=True,
        help="whole: each picture is a face; detect: find the faces in it; auto: whole up to 96 "
        "pixels, detect above.",
    ),
    click.option(
        "--which",
        type=FaceChoice(),
        metavar="all|largest|N",
        default="all",
        show_default=True,
        help="Where faces are found in a picture, which of them to translate: all, the largest, "
        "or number N, counted from the largest as in the report's column `face`.",
    ),
    click.option(
        "--result",
        type=click.Choice(("picture", "face")),
        help="picture: the whole picture with its faces changed, in its size and colors; face: "
        "each face, 48x48 gray.  [default: picture; face with --layout fer-csv]",
    ),
    click.option(
        "--metadata",
        type=click.Choice(("keep", "drop")),
        default="drop",
        show_default=True,
        help="Keep the source's EXIF data (camera, time, location) in result pictures, or drop it.",
    ),
    click.option(
        "-T", "--files-from", metavar="FILE", help="Read paths from a file, or from stdin with `-`."
    ),
    click.option(
        "-0", "--null", is_flag=True, help="The paths of -T end in NUL instead of a newline."
    ),
    click.option(
        "--include",
        multiple=True,
        metavar="PATTERN",
        help="From folders and archives, take only files whose names match; a pattern with a `/` "
        "is for their paths. Repeatable.",
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help="From folders and archives, leave out files and folders whose names match; as "
        "--include.",
    ),
    click.option(
        "--strength",
        multiple=True,
        type=NumberList(0, 1),
        default=("1",),
        metavar="X",
        help="Strength of the change, from 0 (none) to 1 (full); several, by commas or by "
        "repeating the option, make one result each.  [default: 1]",
    ),
    click.option(
        "--samples",
        type=click.IntRange(1, 64),
        default=1,
        show_default=True,
        metavar="N",
        help="Number of varied results for each face and expression.",
    ),
    click.option(
        "--best-of",
        type=click.IntRange(1, 64),
        default=1,
        show_default=True,
        metavar="K",
        help="Make K variations of each result, and keep the one that the judge is surest of.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0, 2**32 - 1),
        default=0,
        show_default=True,
        metavar="S",
        help="Random seed of --samples and --best-of: the same seed gives the same results.",
    ),
    click.option(
        "--min-confidence",
        type=Number(0, 1),
        metavar="P",
        help="Probability that the judge must give the target to confirm a result.  [default: the "
        "target must be the most probable]",
    ),
    click.option(
        "--confirmed-only",
        is_flag=True,
        help="Write only results that the judge confirms; the report has a row for the others too.",
    ),
    click.option(
        "--unconfirmed-to",
        metavar="DIR",
        type=LocalPath(path_type=Path, file_okay=False),
        help="Write results that the judge does not confirm to this folder, laid out as in OUT.",
    ),
    click.option(
        "--per-class",
        type=click.IntRange(min=1),
        metavar="N",
        help="Write at most N results of each expression, and stop when all have N.",
    ),
    click.option(
        "--balance",
        is_flag=True,
        help="Fill the classes of a labeled dataset up to its largest, with results from faces of "
        "other classes. A face's label is the name of its folder or its CSV's column `emotion`.",
    ),
    click.option(
        "--soft-labels",
        is_flag=True,
        help="With --layout fer-csv, write the judge's probabilities beside each result, in "
        "columns that are named as FER+ names its votes: anger to neutral.",
    ),
    click.option(
        "--min-confirmed",
        type=Number(0, 1),
        metavar="FRACTION",
        help="Exit with 5 if the judge confirmed a smaller fraction of any expression's results.",
    ),
    click.option(
        "--max-failures",
        metavar="N|P%",
        callback=failures,
        help="Stop, and exit with 5, once more than N inputs failed, or more than P% of them; P% "
        "is looked at after 100 inputs, and at the end.",
    ),
    click.option(
        "--format",
        type=Format(FORMATS),
        default="png",
        show_default=True,
        help="Format of result files; jpg is jpeg; same is the source's where that is jpeg or "
        "webp, else png.",
    ),
    click.option("--quality", type=click.IntRange(1, 100), metavar="Q", help=_QUALITY),
    click.option(
        "--report",
        metavar="PATH",
        callback=report_target,
        help="Write a copy of OUT/report.csv as .csv, .jsonl or .parquet, or with `-` as JSON "
        "Lines to stdout.",
    ),
    click.option(
        "--html/--no-html",
        default=True,
        show_default=True,
        help="Write OUT/report.html, a page to look through the results in a browser.",
    ),
    *sheet_options,
    device_option,
    engine_option,
    precision_option,
    runner_option,
    *worker_options,
    click.option("--overwrite", is_flag=True, help="Start anew instead of resuming."),
    click.option(
        "--retry-failed", is_flag=True, help="Process again inputs that failed in an earlier call."
    ),
    click.option(
        "--weights",
        type=PathOrUrl(path_type=Path, file_okay=False),
        help="A bundle that `export` wrote.  [default: the one in the package]",
    ),
    shard_option,
    limit_option,
    click.option(
        "--dry-run", is_flag=True, help="List the results that would be written; write nothing."
    ),
    click.option(
        "--no-mark", is_flag=True, help="Leave out the metadata that marks results as AI-made."
    ),
    *verbosity_options,
)
