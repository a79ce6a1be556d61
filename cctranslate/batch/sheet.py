"""The contact sheet: some of a run's faces beside their results, with the judge's word."""

from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from cctranslate.batch import report
from cctranslate.batch.faces import Decoded, decode
from cctranslate.batch.item import Item
from cctranslate.batch.layout import Variant
from cctranslate.batch.source import again
from cctranslate.pixels import SIZE

ROWS = 24
NOTE = "AI-generated expressions; below each the judge's word, in gray if not confirmed"
ZOOM = 2
_TEXT = 14


def draw(
    journal: Path, out: Path, variants: tuple[Variant, ...], rows: int = ROWS
) -> Image.Image | None:
    """A row for each of up to `rows` inputs spread evenly over the report; None if none is done."""
    done = sum(1 for _ in _inputs(journal))
    if not done:
        return None
    rows = min(rows, done)
    wanted = {i * (done - 1) // max(rows - 1, 1) for i in range(rows)}
    cell = SIZE * ZOOM
    font = ImageFont.load_default(10)
    columns = {(v.target, v.amount, str(v.sample)): k for k, v in enumerate(variants, 1)}
    width = max((len(variants) + 1) * cell, int(font.getlength(NOTE)) + 4)
    sheet = Image.new("L", (width, len(wanted) * (cell + _TEXT) + 2 * _TEXT), 255)
    pen = ImageDraw.Draw(sheet)
    titles = (
        v.target + f" x{v.amount}" * (v.strength != 1) + f" s{v.sample}" * (v.sample != 1)
        for v in variants
    )
    for k, title in enumerate(("source", *titles)):
        pen.text((k * cell + 2, 1), title, 0, font)
    y = _TEXT
    groups = [group for i, group in enumerate(_inputs(journal)) if i in wanted]
    places = {group[0]["source"]: y + i * (cell + _TEXT) for i, group in enumerate(groups)}
    for item in again(places):
        _face(sheet, item, 0, places[item.source])
    for group in groups:
        pen.text((2, y + cell), group[0]["source_predicted"], 0, font)
        for row in group:
            x = columns[row["target"], row["strength"], row["sample"]] * cell
            if place := row["output"]:
                _face(sheet, Item(path=out / place, relative=place, named=True), x, y)
            sure = f"{row['predicted']} {float(row['confidence']):.0%}"
            ink = 0 if row["confirmed"] == "true" else 140
            pen.text((x + 2, y + cell), sure, ink, font)
        y += cell + _TEXT
    pen.text((2, y + 1), NOTE, 0, font)
    return sheet


def _inputs(journal: Path) -> Iterator[list[dict[str, str]]]:
    group: list[dict[str, str]] = []
    for row in report.read(journal):
        if row["status"] != "done":
            continue
        if group and group[0]["source"] != row["source"]:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _face(sheet: Image.Image, item: Item, x: int, y: int) -> None:
    """Paste a picture as the models see it; one that has gone since leaves its place empty."""
    found = decode(item)
    if isinstance(found, Decoded):
        face = Image.fromarray(found.face)
        side = SIZE * ZOOM
        sheet.paste(face.resize((side, side), Image.Resampling.BICUBIC), (x, y))
