"""Options of `batch` about results: which are made and written, and their reports."""

from __future__ import annotations

from pathlib import Path

import click

from cctranslate.commands.options.path_types import LocalPath, PathWord
from cctranslate.commands.options.value_types import (
    Format,
    Number,
    NumberList,
    check_max_failures,
    check_report_path,
)

FORMATS = ("png", "jpeg", "webp", "same")
RESULT_OPTIONS = (
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
        "other classes. A face's label is the name of its folder or its CSV's column `emotion`. "
        "Folders and rows for validation or tests are left out.",
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
        callback=check_max_failures,
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
    click.option(
        "--quality",
        type=click.IntRange(1, 100),
        metavar="Q",
        help="Quality of jpeg and webp results.  [default: 95 for jpeg, lossless for webp]",
    ),
    click.option(
        "--report",
        type=PathWord(),
        metavar="PATH",
        callback=check_report_path,
        help="Write a copy of OUT/report.csv as .csv, .jsonl or .parquet, or with `-` as JSON "
        "Lines to stdout.",
    ),
    click.option(
        "--html/--no-html",
        default=True,
        show_default=True,
        help="Write OUT/report.html, a page to look through the results in a browser.",
    ),
    click.option(
        "--sheet",
        type=LocalPath(path_type=Path, dir_okay=False),
        help="Where to write the contact sheet.  [default: OUT-sheet.png, beside OUT]",
    ),
    click.option("--no-sheet", is_flag=True, help="Write no contact sheet."),
)
