"""Options of `batch` about inputs, faces and targets, and where results go."""

from __future__ import annotations

from pathlib import Path

import click

from cctranslate.commands.options.path_types import PathOrUrl, PathWord
from cctranslate.commands.options.value_types import EmotionList, FaceChoice, only_one

# The choices repeat types of `cctranslate.batch`, whose import would slow `--help` down.
LAYOUTS = ("imagefolder", "tree", "webdataset", "fer-csv")
INPUT_OPTIONS = (
    click.argument("inputs", nargs=-1, metavar="INPUT...", type=PathWord()),
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
        "-T",
        "--files-from",
        multiple=True,
        type=PathWord(),
        callback=only_one,
        metavar="FILE",
        help="Read paths from a file, or from stdin with `-`.",
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
)
