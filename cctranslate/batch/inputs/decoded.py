"""What comes of decoding an item: a picture with its faces, or why there is none."""

from dataclasses import dataclass

from cctranslate.batch.items import Item
from cctranslate.faces.crops import Face
from cctranslate.files.paths import FileStamp
from cctranslate.pixels import SIZE


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """A decoded picture: its faces, and facts for the report."""

    item: Item
    """With its content only if the picture is to be read again."""
    faces: tuple[Face, ...]
    """The faces to translate come first."""
    width: int
    height: int
    mode: str
    sha256: str
    is_opaque: bool = True
    """Whether no part of it is transparent."""
    format: str = ""
    """Pillow's name of the file's format; empty for a row of a dataset."""
    stamp: FileStamp | None = None
    """Size and time of its file, or of the archive that it is in."""
    result_name: str | None = None
    """The name of its results, once the pipeline has given one."""

    @property
    def faces_to_translate(self) -> tuple[Face, ...]:
        """The faces without a reason to skip them."""
        return tuple(face for face in self.faces if not face.skip_reason)

    @property
    def is_model_sized(self) -> bool:
        """Whether the picture is one opaque 48x48 gray face: the models' output is the result."""
        return (
            (self.width, self.height, self.mode) == (SIZE, SIZE, "L")
            and self.is_opaque
            and not any(face.is_detected for face in self.faces)
        )


@dataclass(frozen=True, kw_only=True)
class DecodeFailure:
    """An input without a decoded face, and why."""

    item: Item
    skipped: bool
    """Whether its status is skipped, as for a file that is no picture; else it is failed."""
    reason: str
    unsupported: bool = False
    """Whether it is a picture of a kind that cannot be read here."""
    stage: str = "decode"
    """The stage at which it failed."""
    stamp: FileStamp | None = None
    """Size and time of its file, or of the archive that it is in."""
    result_name: str | None = None
    """The name that its results would have."""


DecodeResult = Decoded | DecodeFailure
