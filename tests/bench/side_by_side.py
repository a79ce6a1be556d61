"""Which of two runs over the same photographs do people prefer?

\b
    cctranslate batch datasets/photos datasets/portraits --to all -o ONE
    (the same with another checkout or other weights, to OTHER)
    python tests/bench/side_by_side.py make ONE OTHER SHEETS KEY.csv
    python tests/bench/side_by_side.py score KEY.csv RATINGS-1.csv RATINGS-2.csv

`make` draws six numbered pairs on a sheet: a face as either run changed it, left and right by
chance. Pairs that do not differ, and those whose target the source shows already, are left out.
Raters get the folder SHEETS and nothing else. Each fills in a copy of SHEETS/ratings.csv.

`score` prints how often raters prefer either run.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from cctranslate.batch.gallery.thumbnails import crop_face
from cctranslate.batch.report.formats import read
from cctranslate.batch.report.row import Row
from cctranslate.errors import DataError, UserError
from tests.bench import blind_sheets
from tests.bench.panel_score import read_table

PER_SHEET, COLUMNS, SIDE, GAP = 6, 2, 330, 24
ONE, OTHER, SAME = "one", "other", "same"
QUESTIONS = ("natural", "shows")
INSTRUCTIONS = """\
You see numbered pairs: one face, changed in two ways to show the expression above it. Fill in a
copy of ratings.csv, one row for each pair:

id       the number above the pair
natural  which looks more like an unaltered photograph: left, right or same
shows    which shows the expression better: left, right or same

Judge each pair by itself, and do not compare notes with other raters.
"""
_PATH = click.Path(path_type=Path)
_RUN = click.Path(path_type=Path, exists=True, file_okay=False)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A face as the two runs changed it."""

    source: str
    target: str
    pictures: tuple[Image.Image, Image.Image]
    is_swapped: bool = False
    """Whether raters see the second run's picture on the left."""


def pairs(one: Path, other: Path) -> Iterator[Pair]:
    """Yield the results that both runs have of a face and a target, where they differ."""
    results = [{(r.source, r.face, r.target): r for r in done(out)} for out in (one, other)]
    for key in results[0].keys() & results[1].keys():
        rows = [found[key] for found in results]
        first, second = (shown(out, row) for out, row in zip((one, other), rows, strict=True))
        if first.tobytes() != second.tobytes():
            yield Pair(source=key[0], target=str(key[2]), pictures=(first, second))


def done(out: Path) -> Iterator[Row]:
    """Yield the results of a run whose target the source did not show."""
    for row in read(out / "report.csv"):
        if row.output and row.target != row.source_predicted:
            yield row


def shown(out: Path, row: Row) -> Image.Image:
    """Return the face of a result as raters see it."""
    with Image.open(out / str(row.output)) as picture:
        face = crop_face(picture.convert("RGB"), row)
    return face.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def draw_sheet(chosen: Sequence[Pair], first: int) -> Image.Image:
    """Draw numbered pairs, the first of which has the number `first`."""
    lines = -(-len(chosen) // COLUMNS)
    width, height = 2 * SIDE + 2 * GAP, SIDE + 2 * GAP
    sheet = Image.new("RGB", (COLUMNS * width, lines * height), "white")
    pen = ImageDraw.Draw(sheet)
    for j, pair in enumerate(chosen):
        x, y = j % COLUMNS * width, j // COLUMNS * height
        pen.text((x + 4, y + 2), f"{first + j}: {pair.target}", "black", font_size=16)
        for k, picture in enumerate(pair.pictures[:: -1 if pair.is_swapped else 1]):
            sheet.paste(picture, (x + k * (SIDE + 4), y + GAP))
    return sheet


@click.group(help=__doc__)
def main() -> None:
    """Make sheets or score ratings."""


@main.command()
@click.argument("one", type=_RUN)
@click.argument("other", type=_RUN)
@click.argument("sheets", type=_PATH)
@click.argument("key", type=_PATH)
@click.option("--seed", type=click.IntRange(0), default=0)
def make(one: Path, other: Path, sheets: Path, key: Path, seed: int) -> None:
    """Draw SHEETS and write KEY of two runs' folders."""
    blind_sheets.check_places(sheets, key)
    found = sorted(pairs(one, other), key=lambda pair: (pair.source, pair.target))
    if not found:
        raise DataError(f"{one} and {other}: no face that both changed, and differently")
    random = np.random.default_rng(seed)
    chosen = [found[i] for i in random.permutation(len(found))]
    swaps = random.random(len(chosen)) < 0.5
    shuffled = [replace(p, is_swapped=bool(s)) for p, s in zip(chosen, swaps, strict=True)]
    ids = blind_sheets.numbers(len(shuffled))
    rows = [(p.source, p.target, OTHER if p.is_swapped else ONE) for p in shuffled]
    pd.DataFrame(rows, index=ids, columns=["source", "target", "left"]).to_csv(key)
    count = blind_sheets.write(
        sheets,
        shuffled,
        per_sheet=PER_SHEET,
        draw=draw_sheet,
        questions=QUESTIONS,
        instructions=INSTRUCTIONS,
    )
    click.echo(f"{len(shuffled)} pairs on {count} sheets")


@main.command()
@click.argument("key", type=_PATH)
@click.argument("ratings", type=_PATH, nargs=-1, required=True)
def score(key: Path, ratings: tuple[Path, ...]) -> None:
    """Print how often raters prefer either run."""
    truth = read_table(key, ["source", "target", "left"])
    raters = [preferred(path, truth) for path in ratings]
    for question in QUESTIONS:
        counts = pd.concat([rater[question] for rater in raters]).value_counts()
        words = ", ".join(f"{run} {counts.get(run, 0)}" for run in (ONE, OTHER, SAME))
        click.echo(f"{question}: {words}")


def preferred(path: Path, truth: pd.DataFrame) -> pd.DataFrame:
    """Return a rater's answers as `one`, `other` or `same`, in the key's order.

    Raises:
        DataError: A pair is not rated, or by another word than left, right and same.
    """
    answers = read_table(path, QUESTIONS).reindex(truth.index)
    runs = pd.DataFrame(index=truth.index)
    for question in QUESTIONS:
        words = answers[question].str.lower()
        wrong = words[~words.isin(["left", "right", "same"])]
        if len(wrong):
            message = f"{question} is {wrong.iloc[0]!r}, expected left, right or same"
            raise DataError(f"{path}: id {wrong.index[0]}: {message}")
        is_one = (words == "left") == (truth["left"] == ONE)
        runs[question] = np.where(words == "same", SAME, np.where(is_one, ONE, OTHER))
    return runs


if __name__ == "__main__":
    try:
        main()
    except (UserError, OSError) as error:
        sys.exit(str(error))
