"""A row of the report, as typed values; `schema.py` has its columns."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal, get_args

Status = Literal["done", "skipped", "failed"]
STATUSES: tuple[Status, ...] = get_args(Status)
Box = tuple[int, int, int, int]
"""Left, top, width and height in the upright picture's pixels."""


class Disposition(Enum):
    """Whether a result was written, and where to, after the judge read it."""

    WRITTEN = "written"
    SET_ASIDE = "set_aside"
    """It is not confirmed, and written to `--unconfirmed-to`."""
    DROPPED = "dropped"
    """It is not confirmed, and not written because of `--confirmed-only`."""
    OVER_QUOTA = "over_quota"
    """It is not written, because its class already has its `--per-class` results."""

    @property
    def has_file(self) -> bool:
        """Whether the result is written anywhere."""
        return self in (Disposition.WRITTEN, Disposition.SET_ASIDE)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A result, or an input without a result. None stands for an empty cell.

    The report's columns and their order are in `schema.COLUMNS`.
    """

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
    """Bytes of the source's file; for an archive's member or a dataset's row, of the whole file."""
    source_mtime_ns: int | None = None
    output_size: int | None = None
    """Bytes of the result as it was written."""
    output_sha256: str | None = None
    results_per_face: int | None = None
    """Results that the call made of each face; reading the report checks that no row is missing."""
