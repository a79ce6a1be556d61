"""What raters get: numbered sheets, instructions and a table to fill in, apart from the key."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click
import pandas as pd
from PIL import Image

T = TypeVar("T")


def check_places(sheets: Path, key: Path) -> None:
    """Check that sheets and key are new, and that raters will not see the key.

    Raises:
        UsageError: They are not, or they would.
    """
    if key.resolve().is_relative_to(sheets.resolve()):
        raise click.UsageError(f"{key} lies in {sheets}, which raters see: keep it elsewhere")
    for path in (sheets, key):
        if path.exists():
            raise click.UsageError(f"{path} exists: name another or remove it")


def write(
    sheets: Path,
    items: Sequence[T],
    *,
    per_sheet: int,
    draw: Callable[[Sequence[T], int], Image.Image],
    questions: Sequence[str],
    instructions: str,
) -> int:
    """Write the folder that raters get, and return the number of sheets.

    `draw` gets the items of a sheet, and the number of the first of them. Numbers begin with 1.
    """
    sheets.mkdir(parents=True)
    pd.DataFrame(index=numbers(len(items)), columns=list(questions)).to_csv(sheets / "ratings.csv")
    (sheets / "instructions.txt").write_text(instructions, encoding="utf-8")
    starts = range(0, len(items), per_sheet)
    for page, start in enumerate(starts, 1):
        part = items[start : start + per_sheet]
        draw(part, start + 1).save(sheets / f"sheet-{page:02}.png")
    return len(starts)


def numbers(count: int) -> pd.RangeIndex:
    """Return the numbers of the items, as tables have them in the column `id`."""
    return pd.RangeIndex(1, count + 1, name="id")
