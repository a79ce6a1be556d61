"""The report: a row for each face and target, how it is read, and counts that add up."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from itertools import islice
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
        values = {name: str(value) for name, value in vars(self).items()}
        if self.probabilities:
            values |= dict(zip(_SPREAD, map(str, self.probabilities), strict=True))
        return {name: values.get(name, "") for name in COLUMNS}


_SPREAD = tuple(f"p_{emotion}" for emotion in EMOTIONS)
COLUMNS = tuple(
    name
    for column in fields(Row)
    for name in (_SPREAD if column.name == "probabilities" else (column.name,))
)

_INTEGERS = ("faces", "face", "sample", "width", "height")
_REALS = ("score", "confidence", *_SPREAD, "strength", "ms")
_GROUP = 50_000
"""Rows of a Parquet file's row group: some 100 MB while they are made."""


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
        write((row for row in read(path) if row["status"] != "failed"), partial, ".csv")
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None


def copy(journal: Path, place: Path) -> None:
    """Write a report's rows to a file in the form that its suffix says.

    Raises:
        OutputError: `place` cannot be written.
    """
    if place.resolve() == journal.resolve():
        return
    try:
        write(read(journal), place, place.suffix)
    except OSError as error:
        raise OutputError(f"{place}: cannot be written: {error.strerror or error}") from None


def write(rows: Iterable[dict[str, str]], place: Path, suffix: str) -> None:
    """Write rows as a `.csv`, a `.parquet` or JSON Lines.

    Raises:
        OSError: `place` cannot be written.
    """
    if suffix == ".parquet":
        _write_parquet(rows, place)
        return
    with place.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        if suffix == ".csv":
            file.write(line(COLUMNS))
            file.writelines(line(row.values()) for row in rows)
        else:
            file.writelines(json.dumps(typed(row)) + "\n" for row in rows)


def _write_parquet(rows: Iterable[dict[str, str]], place: Path) -> None:
    """Write row groups of a size that memory holds, however many rows there are."""
    import pyarrow
    from pyarrow import parquet

    known = dict.fromkeys(_INTEGERS, pyarrow.int32()) | dict.fromkeys(_REALS, pyarrow.float64())
    known["confirmed"] = pyarrow.bool_()
    schema = pyarrow.schema([(name, known.get(name, pyarrow.string())) for name in COLUMNS])
    stream = iter(rows)
    with parquet.ParquetWriter(place, schema) as file:
        while group := [typed(_readable(row)) for row in islice(stream, _GROUP)]:
            file.write_table(pyarrow.Table.from_pylist(group, schema))


def _readable(row: dict[str, str]) -> dict[str, str]:
    """A row for what holds UTF-8 alone: other bytes of names as `\\xe9`."""
    return {name: readable(cell) for name, cell in row.items()}


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
