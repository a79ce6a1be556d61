"""Read a dataset in FER2013's form, `emotion,pixels[,Usage]`, as a stream of items."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from cctranslate.batch.items import BrokenItem, DatasetRow, Item
from cctranslate.fer2013 import CsvFault, CsvRow, read_csv


def from_csv(path: Path, file: IO[bytes], member: str = "") -> Iterator[Item]:
    """Yield the rows in order, numbered from 0 as FER2013's are; a bad row is a broken item.

    Args:
        path: The file, or the archive that it is a member of.
        file: The CSV, decompressed.
        member: Its name in the archive, `/`-joined.
    """
    _, rows = read_csv(file)
    name = PurePosixPath(member or path.name)
    while name.suffix.lower() in (".csv", ".gz", ".bz2", ".xz"):
        name = name.with_suffix("")
    for row in rows:
        yield _item(row, path, str(name), f"{member}:{row.number}" if member else str(row.number))


def _item(row: CsvRow | CsvFault, path: Path, stem: str, inner: str) -> Item:
    relative = f"{stem}/{row.number:07}"
    if isinstance(row, CsvFault):
        return BrokenItem(path=path, relative=relative, named=True, inner=inner, reason=row.reason)
    return DatasetRow(
        path=path,
        relative=relative,
        named=True,
        inner=inner,
        pixels=row.pixels,
        emotion=row.emotion,
        usage_cell=row.usage,
    )
