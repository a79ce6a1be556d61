"""A row of the report, as values."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

Status = Literal["done", "skipped", "failed"]
Box = tuple[int, int, int, int]
"""Left, top, width and height in the upright picture's pixels."""


class Disposition(Enum):
    """What became of a result that the judge has seen."""

    WRITTEN = "written"
    SET_ASIDE = "set_aside"
    """The judge denied it, and it lies in `--unconfirmed-to`."""
    DROPPED = "dropped"
    """The judge denied it, and `--confirmed-only` writes no such result."""
    OVER_QUOTA = "over_quota"
    """Its class has the `--per-class` results already."""

    @property
    def has_file(self) -> bool:
        """Whether the result is written anywhere."""
        return self in (Disposition.WRITTEN, Disposition.SET_ASIDE)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One face and target, or one input without a result. None stands for an empty cell."""

    source: str
    faces: int | None = None
    """Number of faces in the picture."""
    face: int | None = None
    """The face's number, from 1."""
    box: Box | None = None
    score: float | None = None
    """The detector's confidence; None where the picture is the face."""
    target: str | None = None
    output: str | None = None
    status: Status
    reason: str | None = None
    predicted: str | None = None
    confidence: float | None = None
    confirmed: bool | None = None
    probabilities: tuple[float, ...] | None = None
    """The judge's, in FER2013's order; the columns `p_angry` to `p_neutral`."""
    source_label: str | None = None
    source_predicted: str | None = None
    strength: float | None = None
    sample: int | None = None
    width: int | None = None
    height: int | None = None
    mode: str | None = None
    source_sha256: str | None = None
    ms: float | None = None
    """Milliseconds of inference for this face."""
    result_name: str | None = None
    """The name that all results of the input share, below the folder of their target."""
    disposition: Disposition | None = None
    source_size: int | None = None
    """Bytes of the source's file; of an archive or dataset, of the whole."""
    source_mtime_ns: int | None = None
    output_size: int | None = None
    """Bytes of the result as it was written."""
    output_sha256: str | None = None
    results_per_face: int | None = None
    """Results that the call made of each face, by which a run sees that no row is missing."""
