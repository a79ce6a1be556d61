"""The report: a row for each face and target, how it is read, and counts that add up."""

import csv
import io
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

from cctranslate.batch.folder import OptionError
from cctranslate.batch.writer import OutputError
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
        values = {column.name: str(getattr(self, column.name)) for column in fields(self)}
        if self.probabilities:
            values |= dict(zip(_SPREAD, map(str, self.probabilities), strict=True))
        return {name: values.get(name, "") for name in COLUMNS}


_SPREAD = tuple(f"p_{emotion}" for emotion in EMOTIONS)
COLUMNS = tuple(
    name
    for column in fields(Row)
    for name in (_SPREAD if column.name == "probabilities" else (column.name,))
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
                self.written[row["target"]] += row["output"] != ""

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


_WHOLE, _REAL = r"\d{1,9}", r"(?:\d{1,9}(?:\.\d+)?(?:e-\d+)?|nan)"
_WORD = "|".join(EMOTIONS)
_FACE = {
    **dict.fromkeys(("faces", "face", "sample", "width", "height"), _WHOLE),
    "box": f"{_WHOLE}(?: {_WHOLE}){{3}}",
    "score": f"{_REAL}?",
    "target": _WORD,
    "strength": _REAL,
}
_JUDGED = {
    **dict.fromkeys(("confidence", "ms", *_SPREAD), _REAL),
    **dict.fromkeys(("predicted", "source_predicted"), _WORD),
    "confirmed": "true|false",
}
_CHECKED = tuple(name for name in COLUMNS if name in {"status", "source_label", *_FACE, *_JUDGED})


def _shape(status: str, cells: dict[str, str]) -> str:
    """What the checked cells of a row, joined by commas, look like: empty but for `cells`."""
    expected = {"status": status, "source_label": f"(?:{_WORD})?", **cells}
    return ",".join(f"(?:{expected.get(name, '')})" for name in _CHECKED)


_ROW = re.compile(
    "|".join(
        (
            _shape("done", _FACE | _JUDGED),
            _shape("skipped", _FACE),
            _shape("skipped|failed", {}),
        )
    ),
    re.ASCII,
)


def line(cells: Iterable[str]) -> str:
    """A row as a line of CSV. Of the line ends that a name may have csv quotes its own alone."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"


_HEADER = line(COLUMNS).encode()


def read(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a report, as text.

    Raises:
        OptionError: it is not what a run left.
    """
    for rows, _ in inputs(path):
        yield from rows


def drop_failed(path: Path) -> None:
    """Take the rows of failed inputs out of a report, so that they are done again.

    Raises:
        OptionError: it is not what a run left.
        OutputError: it cannot be written; it stays as it was.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(line(COLUMNS))
            file.writelines(line(r.values()) for r in read(path) if r["status"] != "failed")
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None


def copy(journal: Path, place: Path) -> None:
    """Write a report's rows to a `.csv`, or as JSON Lines.

    Raises:
        OutputError: `place` cannot be written.
    """
    try:
        if place.suffix != ".csv":
            with place.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(typed(row)) + "\n" for row in read(journal))
        elif place.resolve() != journal.resolve():
            shutil.copyfile(journal, place)
    except OSError as error:
        raise OutputError(f"{place}: cannot be written: {error.strerror}") from None


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


def inputs(path: Path) -> Iterator[tuple[list[dict[str, str]], int]]:
    """Each input's rows, and where in the file they end; a last line cut short is left out.

    Raises:
        OptionError: it is not what a run left.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        header = file.readline(len(_HEADER))
        if header != _HEADER:
            if _HEADER.startswith(header):
                return
            raise OptionError(f"{path}: not what a run left: start anew with --overwrite")
        group: list[dict[str, str]] = []
        end = file.tell()
        while raw := _record(file):
            row = _parsed(raw)
            if row is None:
                raise OptionError(
                    f"{path}: byte {end:,}: not a row that a run left: start anew with --overwrite"
                )
            if group and group[0]["source"] != row["source"]:
                yield group, end
                group = []
            group.append(row)
            end = file.tell()
        if group:
            yield group, end


def _parsed(raw: bytes) -> dict[str, str] | None:
    """A CSV record as a row; None of one that is not as `Row.cells` gives it."""
    try:
        cells = next(csv.reader([raw.decode("utf-8", "surrogateescape")], strict=True))
        row = dict(zip(COLUMNS, cells, strict=True))
    except (csv.Error, ValueError):
        return None
    return row if _ROW.fullmatch(",".join(_checked(row))) else None


_checked = itemgetter(*_CHECKED)
_LONGEST = 1 << 20
"""Bytes of a record: of a quote that is never closed no more than that is read."""


def _record(file: io.BufferedReader) -> bytes:
    """The next whole CSV record: a quoted cell may hold line breaks."""
    raw = file.readline()
    while raw.count(b'"') % 2 and len(raw) < _LONGEST:
        more = file.readline()
        if not more:
            return b""
        raw += more
    return raw if raw.endswith(b"\n") else b""
