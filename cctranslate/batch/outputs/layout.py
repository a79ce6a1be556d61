"""Names and paths of results in OUT, for each layout.

`imagefolder` is `OUT/<emotion>/<relative path joined by __>.png`, flat in each emotion: Hugging
Face `datasets` labels a picture by its immediate parent and torchvision by the top folder, so
both read OUT as it is. `tree` is `OUT/<emotion>/<relative path>.png`. Where each face is written to
a separate file, that of a picture's second face has `.f2` before the suffix. `webdataset` is
`OUT/000000.tar:<emotion>/<relative path joined by __>.png`, with no dot but the suffix's, because
a sample's key ends at the first dot. `fer-csv` is `OUT/fer2013.csv:<row>`.
"""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Literal

from cctranslate.batch.outputs.encoding import SUFFIXES, same_format
from cctranslate.inference.variants import Variant, spell_strength

LayoutName = Literal["imagefolder", "tree", "webdataset", "fer-csv"]
TABLE = "fer2013.csv"
"""The name of the dataset's file, so that `fit --data OUT` finds it."""
LONGEST = 200
"""Most bytes of a name, so that tags and suffix fit into the 255 of most file systems."""
_REFUSED = re.compile('[\x00-\x1f\x7f<>:"|?*\\\\\udc80-\udcff]')
"""Characters that some file system or loader does not take. Windows takes none of them; for Hugging
Face `datasets` `a::b` is an address, and a backslash a slash. The last are bytes that are no UTF-8,
as Python has them."""
TAR_NAME = re.compile(r"\d{6,}\.tar")
"""Matches the names that `tar_name` returns."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Builds the output paths of a run's results.

    All names of a run have the same tags, such as `.x0.5`. So an item whose own name ends like a
    tag cannot share an output path with another item.
    """

    kind: LayoutName
    suffix: str | None
    """The suffix of result files; None: it follows the source's format."""
    names_strength: bool
    """Whether names contain the strength."""
    separate_faces: bool
    """Whether each face of a picture is written to a separate file."""
    names_sample: bool = False
    """Whether names contain the number of the sample."""
    unconfirmed_folder: str = ""
    """The folder of results that are not confirmed, relative to OUT; empty if there is none."""

    def base(self, relative: str) -> str:
        """Return the preferred name of an item's results, for its path relative to its input.

        `Names.claim` makes it unique.
        """
        stem = _REFUSED.sub(_as_number, os.path.splitext(relative)[0])  # noqa: PTH122
        stem = stem.replace(".", self._dot)
        if self.separate_faces and re.search(rf"{re.escape(self._dot)}f\d+$", stem):
            stem += "_"  # a.f2.png and the second face of a.png are two files
        if self.kind != "tree":
            return _safe_name(stem.replace("/", "__"))
        *folders, name = stem.split("/")
        return "/".join([*(self._folder(folder) for folder in folders), _safe_name(name)])

    def _folder(self, name: str) -> str:
        """Return a folder name that no result file beside it can have: a.png/ and a.png.

        Windows drops dots and spaces at its end.
        """
        name = re.sub(r"[. ]$", _as_number, name)
        suffixes = (self.suffix,) if self.suffix else tuple(SUFFIXES.values())
        taken = name.lower().endswith(suffixes)
        return _safe_name(name) + ("_" if taken else "")

    def position(self, output: str) -> int | None:
        """Return the number of the tar, or of the table's row, that an output lies in."""
        file, _, inner = output.partition(":")
        if self.kind == "webdataset":
            return int(file.partition(".")[0])
        return int(inner) if self.kind == "fer-csv" else None

    @property
    def has_files(self) -> bool:
        """Whether each result is a file by itself."""
        return self.kind in ("imagefolder", "tree")

    def output_path(
        self, variant: Variant, name: str, face: int, unconfirmed: bool, source_format: str = ""
    ) -> str:
        """Return a result's path relative to OUT, for a face counted from 1."""
        tags = self._tags(face, variant)
        above = f"{self.unconfirmed_folder}/" if unconfirmed else ""
        suffix = self.suffix or SUFFIXES[same_format(source_format)]
        return f"{above}{variant.target}/{name}{tags}{suffix}"

    def _tags(self, face: int, variant: Variant) -> str:
        tags = f".f{face}" if self.separate_faces and face > 1 else ""
        if self.names_sample:
            tags += f".s{variant.sample}"
        if self.names_strength:
            tags += f".x{spell_strength(variant.strength)}"
        return tags.replace(".", self._dot)

    @property
    def _dot(self) -> str:
        """What replaces a dot before the suffix."""
        return "-" if self.kind == "webdataset" else "."


def tar_name(number: int) -> str:
    """Return a tar's name in OUT."""
    return f"{number:06}.tar"


class Names:
    """Gives each item a unique name for its results, also unique regardless of case and accents."""

    def __init__(self) -> None:
        self._taken: set[bytes] = set()

    def claim(self, base: str) -> str:
        """Reserve and return a free name: `base`, or `base~2`, `base~3` and so on.

        Items come in a fixed order, so the same inputs give the same names every time.
        """
        for name in self.candidates(base):
            if (key := _key(name)) not in self._taken:
                break
        self._taken.add(key)
        return name

    def add(self, name: str) -> None:
        """Reserve a name that an earlier call or another worker gave to an item."""
        self._taken.add(_key(name))

    def candidates(self, base: str) -> Iterator[str]:
        """Yield the names that `claim` tries for a base, without end."""
        yield base
        yield from (f"{base}~{number}" for number in count(2))

    def is_taken(self, name: str) -> bool:
        """Return whether the name is reserved."""
        return _key(name) in self._taken

    def taken_candidates(self, base: str, items: int) -> Iterator[str]:
        """Yield the reserved names that `claim` may try for `items` items of a base."""
        free = 0
        for name in self.candidates(base):
            if self.is_taken(name):
                yield name
            elif (free := free + 1) == items:
                return


def name_group(base: str) -> bytes:
    """Return 8 bytes that are equal for two bases whose items may compete for a name."""
    root = folded(base)
    if "~" in root:
        root = re.sub(r"(~\d+)+$", "", root)
    return hashlib.blake2b(os.fsencode(root), digest_size=8).digest()


def folded(name: str) -> str:
    """Return a form that is equal for names that some file system takes for one.

    File systems may ignore case, and whether an accent is part of a letter or a separate character.
    """
    if name.isascii():
        return name.casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _key(name: str) -> bytes:
    """Return a 16-byte key for a name, so that millions of them fit into memory."""
    return hashlib.blake2b(os.fsencode(folded(name)), digest_size=16).digest()


def _as_number(character: re.Match[str]) -> str:
    """Return the number of a character, or of a byte that is no UTF-8, as `%3A`."""
    return f"%{ord(character[0]) & 0xFF:02X}"


def _safe_name(name: str) -> str:
    """Return a name that is not hidden, as loaders leave out hidden files, and not too long."""
    name = re.sub(r"^\.", _as_number, name)
    raw = os.fsencode(name)
    if len(raw) <= LONGEST:
        return name
    digest = hashlib.blake2b(raw, digest_size=6).hexdigest()
    shortened = raw[: LONGEST - 13].decode("utf-8", "ignore")
    return f"{shortened}-{digest}"
