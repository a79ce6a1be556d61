"""Draw the contact sheet: some faces of a run beside their results, and what the judge reads."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from cctranslate.batch.gallery.rereading import load_preview, reread_items
from cctranslate.batch.gallery.thumbnails import crop_face
from cctranslate.batch.report import formats
from cctranslate.batch.report.row import Row
from cctranslate.inference.variants import Variant, spell_tags
from cctranslate.pixels import SIZE

ROWS = 24
"""Most faces of a sheet."""
NOTE = "AI-generated expressions; below each the judge's word, in gray if not confirmed"
CELL = 2 * SIZE
"""Side of a picture on the sheet, in pixels."""
_TEXT = 14
"""Height of a line of text, in pixels."""
Group = list[Row]
"""The rows of one face."""
Cells = dict[str, list[tuple[Row, tuple[int, int]]]]
"""For each picture: the rows that show it, and their positions."""
_VariantKey = tuple[str | None, float | None, int | None]
"""A variant's target, strength and sample."""


def draw(
    report: Path, out: Path, variants: tuple[Variant, ...], done: int, rows: int = ROWS
) -> Image.Image | None:
    """Draw a row for each of up to `rows` of the `done` faces of a report, spread evenly.

    Returns None if no face is done.
    """
    if not done:
        return None
    rows = min(rows, done)
    chosen = {i * (done - 1) // max(rows - 1, 1) for i in range(rows)}
    font = ImageFont.load_default(10)
    width = max((len(variants) + 1) * CELL, int(font.getlength(NOTE)) + 4)
    sheet = Image.new("RGB", (width, len(chosen) * (CELL + _TEXT) + 2 * _TEXT), "white")
    pen = ImageDraw.Draw(sheet)
    titles = (v.target + spell_tags(v.strength, v.sample) for v in variants)
    for k, title in enumerate(("source", *titles)):
        pen.text((k * CELL + 2, 1), title, "black", font)
    columns: dict[_VariantKey, int] = {
        (v.target, float(v.strength), v.sample): k for k, v in enumerate(variants, 1)
    }
    groups = list(formats.read_done_faces(report, chosen))
    cells: Cells = {}
    for i, group in enumerate(groups):
        y = _top(i)
        cells.setdefault(group[0].source, []).append((group[0], (0, y)))
        pen.text((2, y + CELL), group[0].source_predicted or "", "black", font)
        for row, x in _placed(group, columns):
            if row.output:
                cells.setdefault(str(out / row.output), []).append((row, (x, y)))
            reading = f"{row.predicted} {row.confidence:.0%}"
            pen.text((x + 2, y + CELL), reading, "black" if row.confirmed else "#8c8c8c", font)
    for item in reread_items(cells):
        if picture := load_preview(item):
            for row, position in cells[item.source]:
                _paste(sheet, picture, row, position)
    pen.text((2, _top(len(groups)) + 1), NOTE, "black", font)
    return sheet


def _top(i: int) -> int:
    return _TEXT + i * (CELL + _TEXT)


def _placed(group: Group, columns: Mapping[_VariantKey, int]) -> Iterator[tuple[Row, int]]:
    """Yield the rows of a face with the left edges of their columns, in pixels."""
    for row in group:
        column = columns.get((row.target, row.strength, row.sample))
        if column is not None:  # else the report was edited: a row that is not of this run
            yield row, column * CELL


def _paste(sheet: Image.Image, picture: Image.Image, row: Row, position: tuple[int, int]) -> None:
    sheet.paste(crop_face(picture, row).resize((CELL, CELL), Image.Resampling.BICUBIC), position)
