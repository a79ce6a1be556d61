"""Embed thumbnails in the page for pictures that a browser cannot reach or show."""

import base64
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote

from PIL import Image

from cctranslate.batch.gallery.rereading import load_preview, reread_items
from cctranslate.batch.report.row import Row
from cctranslate.pixels import SIZE

SIDE = 2 * SIZE
"""Longest side of a thumbnail, in pixels."""
PIXELS = 500_000_000
"""Most pixels decoded for one page, about ten seconds: 40 photographs or 200,000 small faces."""
_SHOWN = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif"}
"""Suffixes of formats that every browser shows."""


def crop_face(picture: Image.Image, row: Row) -> Image.Image:
    """Return the row's face with its surroundings, or the whole picture if it is the face."""
    if row.score is None or row.box is None or picture.size != (row.width, row.height):
        return picture
    left, top, width, height = row.box
    half = 0.6 * max(width, height)
    x, y = left + width / 2, top + height / 2
    return picture.crop((round(x - half), round(y - half), round(x + half), round(y + half)))


@dataclass
class Thumbnails:
    """Decides how a page shows each picture: by a link, or by the number of a thumbnail."""

    folder: str
    """Absolute path of the page's folder, to which links are relative."""
    in_store: bool = False
    """Whether the page's folder is in a store."""
    unseen: int = 0
    """Pictures without a thumbnail, because they would take too long to decode."""
    _waiting: dict[str, list[tuple[int, Row]]] = field(default_factory=dict)
    _numbers: int = 0
    _pixels: int = 0

    def show(self, path: str, row: Row) -> str | int | None:
        """Return a relative URL, a thumbnail's number, or None if there is nothing to show."""
        if url := self.link(path):
            return url
        self._pixels += (row.width or SIZE) * (row.height or SIZE)
        if self._pixels > PIXELS:
            self.unseen += 1
            return None
        self._waiting.setdefault(path, []).append((self._numbers, row))
        self._numbers += 1
        return self._numbers - 1

    def link(self, path: str) -> str | None:
        """Return a relative URL of a picture that a browser can reach and show, else None."""
        shown = os.path.splitext(path)[1].lower() in _SHOWN  # noqa: PTH122
        return self._link(path) if shown and self._is_there(path) else None

    def _is_there(self, path: str) -> bool:
        beside = self.in_store and path.startswith(self.folder + os.sep)
        return beside or os.path.isfile(path)  # noqa: PTH113

    def _link(self, path: str) -> str:
        """Return a URL; bytes that are not UTF-8 stay as they are, and `#?%:` are escaped."""
        folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100
        return _link_to_folder(folder, self.folder) + _quoted(name)

    def encoded(self) -> Iterator[tuple[int, str]]:
        """Yield each number with its JPEG in base64; none for a picture that is gone."""
        for item in reread_items(self._waiting):
            if picture := load_preview(item):
                for number, row in self._waiting[item.source]:
                    yield number, _encoded(crop_face(picture, row))


@lru_cache(1000)
def _link_to_folder(folder: str, page: str) -> str:
    """Return the URL of a folder, relative to the page's, with a slash at its end."""
    try:
        relative = os.path.relpath(folder, page)
    except ValueError:  # another drive
        return "file:///" + quote(folder.replace(os.sep, "/").rstrip("/"), safe="/:") + "/"
    return "" if relative == os.curdir else _quoted(relative) + "/"


def _quoted(path: str) -> str:
    return quote(os.fsencode(path.replace(os.sep, "/")))


def _encoded(face: Image.Image) -> str:
    face.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    face.save(file, "jpeg", quality=75, optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")
