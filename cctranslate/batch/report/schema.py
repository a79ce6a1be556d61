"""What a run says of its inputs: rows, the forms that they are written in, and counts."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from cctranslate.emotions import EMOTIONS

Status = Literal["done", "skipped", "failed"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One face and target, or one picture without a result. Empty cells are not known."""

    source: str
    faces: int | str = ""
    """How many the picture has."""
    face: int | str = ""
    box: str = ""
    """Left, top, width and height in the upright picture's pixels."""
    score: float | str = ""
    """How sure the detector is of the face."""
    target: str = ""
    output: str = ""
    status: Status
    reason: str = ""
    predicted: str = ""
    confidence: float | str = ""
    confirmed: str = ""
    probabilities: tuple[float, ...] = ()
    """The judge's, in FER2013's order; the columns `p_angry` to `p_neutral`."""
    source_label: str = ""
    source_predicted: str = ""
    strength: str = ""
    sample: int | str = ""
    width: int | str = ""
    height: int | str = ""
    mode: str = ""
    source_sha256: str = ""
    ms: float | str = ""

    def cells(self) -> dict[str, str]:
        """The row as text, by column."""
        values = {name: str(value) for name, value in vars(self).items()}
        if self.probabilities:
            values |= dict(zip(SPREAD, map(str, self.probabilities), strict=True))
        return {name: values.get(name, "") for name in COLUMNS}


SPREAD = tuple(f"p_{emotion}" for emotion in EMOTIONS)
COLUMNS = tuple(
    name
    for column in fields(Row)
    for name in (SPREAD if column.name == "probabilities" else (column.name,))
)


@dataclass
class Counts:
    """What became of the inputs; of each target the results judged, confirmed and written."""

    inputs: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    confirmed: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)

    def add(self, rows: list[dict[str, str]]) -> None:
        """Count one input's rows."""
        self.inputs[rows[0]["status"]] += 1
        for row in rows:
            if row["status"] == "done":
                self.results[row["target"]] += 1
                self.confirmed[row["target"]] += row["confirmed"] == "true"
                self.written[row["target"]] += row["output"] != "" and not row["reason"]

    @property
    def found(self) -> int:
        """Every input ends as exactly one of done, skipped and failed."""
        return self.inputs.total()

    @property
    def exit_code(self) -> int:
        """0 all done, 1 some failed, 3 no picture found."""
        if self.inputs["failed"]:
            return 1
        return 0 if self.inputs["done"] else 3

    def shares(self) -> dict[str, float]:
        """The confirmed share of each target."""
        return {
            emotion: round(self.confirmed[emotion] / self.results[emotion], 4)
            for emotion in EMOTIONS
            if self.results[emotion]
        }


def line(cells: Iterable[str]) -> str:
    """A row as a line of CSV. Of the line ends that a name may have csv quotes its own alone."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"


def readable(text: str) -> str:
    """A name for people: bytes that are no UTF-8 as `\\xe9`."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def typed(row: dict[str, str]) -> dict[str, Any]:
    """A row as JSON values: numbers and booleans as such, null for what is not known."""
    text = ("source", "output", "reason", "source_sha256", "box", "mode")

    def value(name: str, cell: str) -> Any:
        if name in text or not cell:
            return cell or None
        if cell in ("true", "false"):
            return cell == "true"
        try:
            return json.loads(cell)
        except ValueError:
            return cell

    return {name: value(name, cell) for name, cell in row.items()}
