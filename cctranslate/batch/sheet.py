"""The contact sheet: some of a run's faces beside their results, with the judge's word."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from cctranslate.batch import report
from cctranslate.batch.faces import show
from cctranslate.batch.item import Item
from cctranslate.batch.layout import Variant
from cctranslate.batch.source import again
from cctranslate.batch.thumbnails import cut
from cctranslate.pixels import SIZE

ROWS = 24
NOTE = "AI-generated expressions; below each the judge's word, in gray if not confirmed"
CELL = 2 * SIZE
_TEXT = 14
Group = list[dict[str, str]]
"""The rows of one face."""


def draw(
    journal: Path, out: Path, variants: tuple[Variant, ...], rows: int = ROWS
) -> Image.Image | None:
    """A row for each of up to `rows` faces spread evenly over the report; None if none is done."""
    done = sum(1 for _ in _faces(journal))
    if not done:
        return None
    rows = min(rows, done)
    wanted = {i * (done - 1) // max(rows - 1, 1) for i in range(rows)}
    font = ImageFont.load_default(10)
    width = max((len(variants) + 1) * CELL, int(font.getlength(NOTE)) + 4)
    sheet = Image.new("RGB", (width, len(wanted) * (CELL + _TEXT) + 2 * _TEXT), "white")
    pen = ImageDraw.Draw(sheet)
    titles = (
        v.target + f" x{v.amount}" * (v.strength != 1) + f" s{v.sample}" * (v.sample != 1)
        for v in variants
    )
    for k, title in enumerate(("source", *titles)):
        pen.text((k * CELL + 2, 1), title, "black", font)
    groups = [group for i, group in enumerate(_faces(journal)) if i in wanted]
    _draw_sources(sheet, groups)
    for i, group in enumerate(groups):
        _draw_results(sheet, pen, font, out, variants, group, _top(i))
    pen.text((2, _top(len(groups)) + 1), NOTE, "black", font)
    return sheet


def _top(i: int) -> int:
    return _TEXT + i * (CELL + _TEXT)


def _draw_sources(sheet: Image.Image, groups: list[Group]) -> None:
    places: dict[str, list[int]] = {}
    for i, group in enumerate(groups):
        places.setdefault(group[0]["source"], []).append(i)
    for item in again(places):
        if picture := show(item):
            for i in places[item.source]:
                _paste(sheet, picture, groups[i][0], (0, _top(i)))


def _draw_results(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    out: Path,
    variants: tuple[Variant, ...],
    group: Group,
    y: int,
) -> None:
    columns = {(v.target, v.amount, str(v.sample)): k for k, v in enumerate(variants, 1)}
    pen.text((2, y + CELL), group[0]["source_predicted"], "black", font)
    for row in group:
        key = row["target"], row["strength"], row["sample"]
        if key not in columns:
            continue  # a report that was edited since: no row of this run
        x = columns[key] * CELL
        place = row["output"]
        item = Item(path=out / place, relative=place, named=True)
        if place and (picture := show(item)):
            _paste(sheet, picture, row, (x, y))
        sure = f"{row['predicted']} {float(row['confidence']):.0%}"
        pen.text(
            (x + 2, y + CELL), sure, "black" if row["confirmed"] == "true" else "#8c8c8c", font
        )


def _faces(journal: Path) -> Iterator[Group]:
    done = (row for row in report.read(journal) if row["status"] == "done")
    for _, rows in groupby(done, key=lambda row: (row["source"], row["face"])):
        yield list(rows)


def _paste(
    sheet: Image.Image, picture: Image.Image, row: dict[str, str], place: tuple[int, int]
) -> None:
    sheet.paste(cut(picture, row).resize((CELL, CELL), Image.Resampling.BICUBIC), place)
