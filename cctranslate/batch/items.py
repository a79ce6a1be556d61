"""Inputs as items, a class for each kind: `inputs/` makes and decodes them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from cctranslate.emotions import EMOTIONS, parse_emotion
from cctranslate.fer2013 import USAGES, parse_label, parse_usage, usage_of_picture
from cctranslate.files.paths import FileStamp, named_folder, stamp_of

STDIN = "-"
"""The input that stands for standard input."""
ARCHIVE_SUFFIX = re.compile(r"(\.tar)?\.\w+$")
NUMBER = re.compile(r"#\d+$")
"""Matches the number in the name of an archive's second member of that name, such as `#2`."""


class MemberError(Exception):
    """A member of an archive cannot be read; the message is the reason for its row."""


@dataclass(frozen=True, kw_only=True)
class Remainder:
    """The results that this call still has to make of an input."""

    has_earlier_rows: bool
    """Whether an earlier call wrote rows of the input."""
    targets: tuple[str, ...]
    result_name: str | None
    """The name of its results, if an earlier call gave one."""
    replaces: bool
    """Whether new results replace earlier ones, because the source has changed since."""
    superseded: tuple[str, ...] = ()
    """The targets of replaced results that count towards the quota of `--per-class`."""
    altered: tuple[str, ...] = ()
    """Outputs that the user changed since they were written: their files are not replaced."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """An input: a file on a disk, or in a subclass another kind."""

    path: Path
    relative: str
    """Its path relative to the folder or archive that it comes from, `/`-joined."""
    named: bool
    """Whether the user named it. A named file that is no picture fails; others are skipped."""
    inner: str = ""
    """Which part of the file it is: an archive member's name or a row's number; empty: all."""
    chosen_targets: tuple[str, ...] | None = None
    """The targets that `--balance` chose for it; None: all of the call's."""
    remainder: Remainder | None = None
    """What is left to make; None: everything."""
    store_stamp: FileStamp | None = None
    """Size and time of its file as a store lists them; None for a file on a disk."""

    @property
    def stamp(self) -> FileStamp | None:
        """Size and time of its file, if that is an ordinary one."""
        return self.store_stamp or stamp_of(self.path)

    @property
    def source(self) -> str:
        """Its name in the report's column `source`."""
        return f"{self.path}:{self.inner}" if self.inner else str(self.path)

    @property
    def name(self) -> PurePosixPath | Path:
        """The file name whose suffix says what kind of file it is."""
        if not self.inner:
            return self.path
        # Zips made on Windows may have backslashes; a second member of a name has its number.
        return PurePosixPath(NUMBER.sub("", self.inner).replace("\\", "/"))

    @property
    def label(self) -> str:
        """The expression that the picture's folder names, if it does."""
        return _emotion(self._folder.name)

    @property
    def usage(self) -> str:
        """The FER2013 usage (Training, PublicTest, PrivateTest) that its results get."""
        folder = self._folder.parent if self.label else self._folder
        return usage_of_picture(folder.name, self.name.name)

    @property
    def _folder(self) -> PurePath:
        """The picture's folder, with its name and that of the folder above; an archive is one."""
        if self.inner:
            return ARCHIVE_SUFFIX.sub("", self.path.name) / self.name.parent
        return named_folder(self.path.parent)

    @property
    def has_earlier_rows(self) -> bool:
        """Whether an earlier call wrote rows of it."""
        return self.remainder is not None and self.remainder.has_earlier_rows

    @property
    def held_bytes(self) -> int:
        """Bytes of its content that are in memory."""
        return 0

    def fetch(self) -> "Item":
        """Return the item with its content, if that can only be read now, in the items' order."""
        return self

    def without_content(self) -> "Item":
        """Return the item without its content, to free memory once it is decoded."""
        return self

    def broken(self, reason: str, *, skipped: bool = False) -> "BrokenItem":
        """Return it as an input that cannot be read, with the reason for its row."""
        return BrokenItem(**self._common_fields(), reason=reason, skipped=skipped)

    def with_content(self, content: bytes) -> "ContentItem":
        """Return it as an input whose content is in memory."""
        return ContentItem(**self._common_fields(), content=content)

    def _common_fields(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(Item)}


@dataclass(frozen=True, kw_only=True)
class ContentItem(Item):
    """An input that `fetch` reads into memory: an archive's member, a pipe, stdin or a URL."""

    content: bytes = b""
    read: Callable[[], bytes] | None = None
    """Reads the content, or raises MemberError; None once it was called: it cannot be pickled."""

    @property
    def held_bytes(self) -> int:
        """The length of its content."""
        return len(self.content)

    def fetch(self) -> Item:
        """Return the item with its content, or a broken item with the reason."""
        if self.read is None:
            return self  # `read_pipes` has read it already
        try:
            return replace(self, content=self.read(), read=None)
        except MemberError as error:
            return self.broken(str(error))

    def without_content(self) -> Item:
        """Return the item without its content."""
        return replace(self, content=b"")


@dataclass(frozen=True, kw_only=True)
class DatasetRow(Item):
    """A row of a CSV in FER2013's form, with its cells as text."""

    pixels: str
    emotion: str | None = None
    """The cell of its label id; None or empty where there is none."""
    usage_cell: str | None = None
    """The cell `Usage`; None if the CSV has no such column."""

    def check(self) -> None:
        """Check that the label and the usage are FER2013's.

        Raises:
            ValueError: One is not.
        """
        if self.emotion:
            parse_label(self.emotion)
        if self.usage_cell is not None:
            parse_usage(self.usage_cell)

    @property
    def held_bytes(self) -> int:
        """The length of its pixels' text."""
        return len(self.pixels)

    @property
    def usage(self) -> str:
        """The row's usage, so that results of test faces stay test faces."""
        return USAGES[0] if self.usage_cell is None else parse_usage(self.usage_cell)

    @property
    def label(self) -> str:
        """The expression that the column `emotion` names, if it does."""
        try:
            return EMOTIONS[parse_label(self.emotion or "")]
        except ValueError:
            return ""


@dataclass(frozen=True, kw_only=True)
class BrokenItem(Item):
    """An input that cannot be read, with the reason for its row in the report."""

    reason: str
    skipped: bool = False
    """Whether its status is skipped; else it is failed."""


@lru_cache(1000)
def _emotion(word: str) -> str:
    try:
        return parse_emotion(word)
    except ValueError:
        return ""
