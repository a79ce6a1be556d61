"""Small pictures that go into the page itself: what a browser could not show from where it lies."""

import base64
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from PIL import Image

from cctranslate.batch.inputs.decoding import show
from cctranslate.batch.inputs.sources import again
from cctranslate.batch.report.schema import Row
from cctranslate.pixels import SIZE

SIDE = 2 * SIZE
PIXELS = 500_000_000
"""How much is decoded for one page: some ten seconds; 40 photographs or 200,000 small faces."""
_SHOWN = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif"}
"""Suffixes of pictures that every browser shows."""


def cut(picture: Image.Image, row: Row) -> Image.Image:
    """The row's face in a picture, with some of what is around it, or a picture that is one."""
    if row.score is None or row.box is None or picture.size != (row.width, row.height):
        return picture
    left, top, width, height = row.box
    half = 0.6 * max(width, height)
    x, y = left + width / 2, top + height / 2
    return picture.crop((round(x - half), round(y - half), round(x + half), round(y + half)))


@dataclass
class Thumbnails:
    """Gives each picture of a page what it is shown by: a link, or a number that `made` has."""

    folder: str
    """The page's, as an absolute path: links are relative to it."""
    unseen: int = 0
    """Pictures that would have taken too long to make small."""
    _waiting: dict[str, list[tuple[int, Row]]] = field(default_factory=dict)
    _numbers: int = 0
    _pixels: int = 0

    def show(self, place: str, row: Row) -> str | int | None:
        """A relative URL, a number, or None where there is nothing to be shown."""
        if os.path.splitext(place)[1].lower() in _SHOWN and os.path.isfile(place):  # noqa: PTH113, PTH122
            return self._link(place)
        self._pixels += (row.width or SIZE) * (row.height or SIZE)
        if self._pixels > PIXELS:
            self.unseen += 1
            return None
        self._waiting.setdefault(place, []).append((self._numbers, row))
        self._numbers += 1
        return self._numbers - 1

    def _link(self, place: str) -> str:
        """Bytes that are no UTF-8 stay what they are; `#`, `?`, `%` and `:` are only letters."""
        path = os.path.abspath(place)  # noqa: PTH100
        try:
            path = os.path.relpath(path, self.folder)
        except ValueError:  # another drive
            return "file:///" + quote(path.replace(os.sep, "/"), safe="/:")
        return quote(os.fsencode(path.replace(os.sep, "/")))

    def made(self) -> Iterator[tuple[int, str]]:
        """The numbers with their JPEGs in base64; none of a picture that has gone."""
        for item in again(self._waiting):
            if picture := show(item):
                for number, row in self._waiting[item.source]:
                    yield number, _encoded(cut(picture, row))


def _encoded(face: Image.Image) -> str:
    face.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    face.save(file, "jpeg", quality=75, optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")
