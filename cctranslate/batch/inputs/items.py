"""Inputs: files, members of archives and rows of a dataset, and what decoding makes of them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath

from cctranslate.emotions import EMOTIONS, parse_emotion
from cctranslate.faces.crops import Face
from cctranslate.fer2013 import USAGES, parse_label, parse_usage
from cctranslate.files import FileStamp, stamp_of
from cctranslate.pixels import SIZE

NUMBER = re.compile(r"#\d+$")  # of archive members that have one name


class MemberError(Exception):
    """A member of an archive cannot be read; the message is the reason for its row."""


@dataclass(frozen=True, kw_only=True)
class Remainder:
    """What to make of an input, where that is not all."""

    met: bool
    """Whether an earlier call met the input."""
    targets: tuple[str, ...]
    result_name: str | None
    """The name of its results, if it has one."""
    replaces: bool
    """Whether new results take the place of those of the file as it was."""
    superseded: tuple[str, ...] = ()
    """The targets of those that fill the quota of `--per-class`."""
    altered: tuple[str, ...] = ()
    """Its results that somebody changed since they were written: their files are left."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A file to translate: its path and its name relative to its input, `/`-joined."""

    path: Path
    relative: str
    named: bool
    """Named by the user, not found in a folder: being no picture is then a failure."""
    inner: str = ""
    """Which part of the file, if it is not the whole: a member's name or a row's number."""
    chosen_targets: tuple[str, ...] | None = None
    """The targets that `--balance` chose for it; None: all of the call's."""
    remainder: Remainder | None = None
    """What is left to make, if that is not everything."""
    listed: FileStamp | None = None
    """What a store told of its file; None: the file is on a disk."""

    @property
    def stamp(self) -> FileStamp | None:
        """The stamp of its file, if that is an ordinary one."""
        return self.listed or stamp_of(self.path)

    @property
    def source(self) -> str:
        """What the report calls it."""
        return f"{self.path}:{self.inner}" if self.inner else str(self.path)

    @property
    def name(self) -> PurePosixPath | Path:
        """The name that says, by its suffix, what it would be."""
        if not self.inner:
            return self.path
        # Zips made on Windows may have backslashes; a second member of a name has its number.
        return PurePosixPath(NUMBER.sub("", self.inner).replace("\\", "/"))

    @property
    def label(self) -> str:
        """The expression that the picture's folder names, if it does."""
        return _emotion(self.name.parent.name)

    @property
    def usage(self) -> str:
        """Which part of a dataset in FER2013's form its results belong to."""
        return USAGES[0]

    @property
    def is_met(self) -> bool:
        """Whether an earlier call met it."""
        return self.remainder is not None and self.remainder.met

    @property
    def held(self) -> int:
        """Bytes of it that are in memory."""
        return 0

    def fetch(self) -> "Item":
        """Return the item with what can only be read while its archive is at it."""
        return self

    def bare(self) -> "Item":
        """Return the item without its content, which is not needed once its face is decoded."""
        return self


def _is_read() -> bytes:
    """Stands where a way to an open archive was, which cannot go to another process."""
    raise MemberError("read already")


@dataclass(frozen=True, kw_only=True)
class Member(Item):
    """A member of an archive, whose `content` comes with `fetch`."""

    content: bytes = b""
    read: Callable[[], bytes] = _is_read
    """Raises MemberError."""

    @property
    def held(self) -> int:
        """Its content's length."""
        return len(self.content)

    def fetch(self) -> Item:
        """Return the member with its content, or with the reason why it has none."""
        if self.read is _is_read:
            return self  # a pipe was read when its turn came
        try:
            return replace(self, content=self.read(), read=_is_read)
        except MemberError as error:
            return Broken(
                path=self.path,
                relative=self.relative,
                named=self.named,
                inner=self.inner,
                remainder=self.remainder,
                listed=self.listed,
                reason=str(error),
            )

    def bare(self) -> Item:
        """Return the member without its content."""
        return replace(self, content=b"")


@dataclass(frozen=True, kw_only=True)
class FaceRow(Item):
    """A row of a dataset in FER2013's form: its cells as they stand there."""

    pixels: str
    emotion: str | None = None
    """Its label id; None or empty where there is none."""
    part: str | None = None
    """Its usage; None where the dataset has no column of it."""

    def check(self) -> None:
        """See that the label and the usage are those of FER2013.

        Raises:
            ValueError: One is not.
        """
        if self.emotion:
            parse_label(self.emotion)
        if self.part is not None:
            parse_usage(self.part)

    @property
    def held(self) -> int:
        """Its pixels' length: digits and spaces."""
        return len(self.pixels)

    @property
    def usage(self) -> str:
        """Return the row's usage: no face that is kept for tests becomes one to train on."""
        return super().usage if self.part is None else parse_usage(self.part)

    @property
    def label(self) -> str:
        """Return the expression that the emotion column names, if it does."""
        try:
            return EMOTIONS[parse_label(self.emotion or "")]
        except ValueError:
            return ""


@dataclass(frozen=True, kw_only=True)
class Broken(Item):
    """What is known to give nothing."""

    reason: str
    skipped: bool = False
    """Whether it is left out, and did not fail."""


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """A picture's faces, those to translate first, and what the report says of the picture.

    `item` holds what it takes to read the picture once more, if that was asked for.
    """

    item: Item
    faces: tuple[Face, ...]
    width: int
    height: int
    mode: str
    sha256: str
    format: str = ""
    """Pillow's name of the file's format; empty for a row of a dataset."""
    stamp: FileStamp | None = None
    """Of the file that the picture, or its archive, is."""
    result_name: str | None = None
    """The name that its results share, once the pipeline has given it one."""

    @property
    def faces_to_translate(self) -> tuple[Face, ...]:
        """The faces that are not passed over."""
        return tuple(face for face in self.faces if not face.passed_over)

    @property
    def is_model_sized(self) -> bool:
        """Whether the picture is as the models take and give it: what they give is the result."""
        return (self.width, self.height, self.mode) == (SIZE, SIZE, "L") and not any(
            face.found for face in self.faces
        )


@dataclass(frozen=True, kw_only=True)
class DecodeFailure:
    """A file that gives no face: `skipped` if it never claimed to be a picture, else failed."""

    item: Item
    skipped: bool
    reason: str
    unreadable: bool = False
    """Of a kind that cannot be read here."""
    stage: str = "decode"
    """Where it failed."""
    stamp: FileStamp | None = None
    """Of the file, or the archive that it is in."""
    result_name: str | None = None
    """The name that its results would have."""


@lru_cache(1000)
def _emotion(word: str) -> str:
    try:
        return parse_emotion(word)
    except ValueError:
        return ""
