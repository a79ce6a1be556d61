"""A blind panel: do people who know nothing of this project take results for photographs?

\b
    cctranslate batch faces/ --to all -o OUT
    python tests/bench/panel.py make OUT SHEETS KEY.csv --data fer2013.csv
    python tests/bench/panel.py score KEY.csv RATINGS-1.csv RATINGS-2.csv

`make` mixes untouched PublicTest faces with results of other ones, no face twice, numbers them and
draws 20 on a sheet. Raters get the folder SHEETS and nothing else: neither the key, nor how many
results there are, nor what this project does. Each fills in a copy of SHEETS/ratings.csv.

`score` prints how often faces are read as the target (real faces: as their label), are taken for
natural, and both at once (accept), each also as a ratio to all real faces of the same sheets.
Brackets hold 95% intervals, by bootstrap over faces.
"""

import itertools
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from cctranslate.emotions import EMOTIONS
from cctranslate.errors import DataError, UserError
from cctranslate.pictures import to_gray
from cctranslate.pixels import Gray
from cctranslate.training.data import fer2013
from cctranslate.training.data.fer2013 import Faces, Splits, without_copies
from tests.bench import blind_sheets
from tests.bench.panel_score import (
    agreement,
    read_ratings,
    read_table,
    score_table,
    summarize,
)

PER_SHEET, COLUMNS, SIDE = 20, 5, 224
INSTRUCTIONS = f"""\
You see numbered pictures of faces. Fill in a copy of ratings.csv, one row for each number:

id          the number above the face
expression  what the face shows most, always one of {", ".join(EMOTIONS)}
natural     1 if you take it for an unaltered photograph, 0 if anything in it looks wrong, painted,
            doubled, smeared or pasted. Softness and watermarks alone do not count.

Judge each face by itself, and do not compare notes with other raters.
"""
_ROW = re.compile(r"PublicTest_(\d+)")
_PATH = click.Path(path_type=Path)


@dataclass(frozen=True, kw_only=True)
class Item:
    """A face as raters see it, and what they must not know: `target` is a real face's label."""

    image: Gray
    kind: str
    target: int
    row: int


def eligible(splits: Splits, *, reporting: bool, copies: bool) -> Faces:
    """Return the PublicTest faces for reporting (row divisible by 5) or for choosing (the others).

    Raises:
        DataError: A split is missing, or there are no such faces.
    """
    if not {"Training", "PublicTest"} <= splits.keys():
        raise DataError("a panel needs the Training and PublicTest rows of FER2013")
    faces = splits["PublicTest"]
    if not copies:
        faces = without_copies(faces, splits["Training"])
    faces = faces.take((faces.rows % 5 == 0) == reporting)
    if not len(faces):
        raise DataError("no PublicTest faces are left to choose from")
    return faces


def results_by_row(out: Path) -> list[dict[int, Path]]:
    """Return for each target the pictures OUT/<target>/*PublicTest_<row>*, the first of a row.

    Raises:
        DataError: There are none.
    """
    found: list[dict[int, Path]] = []
    for emotion in EMOTIONS:
        files = sorted((out / emotion).rglob("*PublicTest_*"), reverse=True)
        found.append({int(m[1]): file for file in files if (m := _ROW.search(file.name))})
    if not any(found):
        raise DataError(f"{out}: holds no results named <target>/PublicTest_<row>.png")
    return found


def choose(
    faces: Faces, found: list[dict[int, Path]], real: int, results: int, seed: int
) -> list[Item]:
    """Return at most `real` faces of each label and `results` of each target, in random order.

    A result is of a face of another label. No face is drawn twice.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(faces))
    items: list[Item] = []
    taken: set[int] = set()
    for k in range(len(EMOTIONS)):
        for i in order[faces.labels[order] == k][:real]:
            row = int(faces.rows[i])
            items.append(Item(image=faces.images[i], kind="real", target=k, row=row))
            taken.add(row)
    for k, files in enumerate(found):
        rows = [int(row) for row in faces.rows[order[faces.labels[order] != k]]]
        for row in [row for row in rows if row in files and row not in taken][:results]:
            with Image.open(files[row]) as picture:
                items.append(Item(image=to_gray(picture), kind="result", target=k, row=row))
            taken.add(row)
    return [items[i] for i in random.permutation(len(items))]


def draw_sheet(items: Sequence[Item], first: int) -> Image.Image:
    """Draw numbered faces, the first of which has the number `first`."""
    lines = -(-len(items) // COLUMNS)
    sheet = Image.new("L", (COLUMNS * (SIDE + 8) + 8, lines * (SIDE + 32) + 8), 255)
    draw = ImageDraw.Draw(sheet)
    for j, item in enumerate(items):
        x, y = 8 + j % COLUMNS * (SIDE + 8), 8 + j // COLUMNS * (SIDE + 32)
        large = Image.fromarray(item.image).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        draw.text((x + 2, y + 2), str(first + j), fill=0, font_size=16)
        sheet.paste(large, (x, y + 24))
    return sheet


@click.group(help=__doc__)
def main() -> None:
    """Make sheets or score ratings."""


@main.command()
@click.argument("out", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("sheets", type=_PATH)
@click.argument("key", type=_PATH)
@click.option("--data", type=_PATH, required=True, help="FER2013 in any form that `fit` reads.")
@click.option(
    "--real",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Real faces of each label.",
)
@click.option(
    "--results",
    type=click.IntRange(1),
    default=45,
    show_default=True,
    help="Results of each target.",
)
@click.option("--reporting", is_flag=True, help="Rows divisible by 5: never choose by them.")
@click.option("--copies", is_flag=True, help="Keep faces that also stand in Training.")
@click.option("--seed", type=click.IntRange(0), default=0)
def make(
    out: Path,
    sheets: Path,
    key: Path,
    data: Path,
    real: int,
    results: int,
    reporting: bool,
    copies: bool,
    seed: int,
) -> None:
    """Draw SHEETS and write KEY of the results OUT/<target>/*PublicTest_<row>*."""
    blind_sheets.check_places(sheets, key)
    faces = eligible(fer2013.load(data), reporting=reporting, copies=copies)
    items = choose(faces, results_by_row(out), real, results, seed)
    for kind, wanted in (("real", real), ("result", results)):
        for k, emotion in enumerate(EMOTIONS):
            count = sum((item.kind, item.target) == (kind, k) for item in items)
            if count < wanted:
                click.echo(f"{kind} {emotion}: {count} of {wanted}: there are no more", err=True)
    ids = blind_sheets.numbers(len(items))
    rows = [(item.kind, EMOTIONS[item.target], item.row) for item in items]
    pd.DataFrame(rows, index=ids, columns=["kind", "target", "row"]).to_csv(key)
    count = blind_sheets.write(
        sheets,
        items,
        per_sheet=PER_SHEET,
        draw=draw_sheet,
        questions=("expression", "natural"),
        instructions=INSTRUCTIONS,
    )
    click.echo(f"{len(items)} faces on {count} sheets")


@main.command()
@click.argument("key", type=_PATH)
@click.argument("ratings", type=_PATH, nargs=-1)
def score(key: Path, ratings: tuple[Path, ...]) -> None:
    """Print the figures of two or more raters' RATINGS."""
    if len(ratings) < 2:
        raise click.UsageError("two raters at least: one does not show how far raters differ")
    truth = read_table(key, ["kind", "target", "row"])
    raters = [read_ratings(path, truth) for path in ratings]
    click.echo(score_table(summarize(truth, raters)) + "\n")
    for (a, one), (b, other) in itertools.combinations(zip(ratings, raters, strict=True), 2):
        for name in ("natural", "expression"):
            same, kappa = agreement(one[name], other[name])
            click.echo(f"{a} and {b} agree on {name} in {same:.0%}, kappa {kappa:.2f}")


if __name__ == "__main__":
    try:
        main()
    except (UserError, OSError) as error:
        sys.exit(str(error))
