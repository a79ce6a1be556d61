"""`report.html`: a run to look through, in one file that needs nothing but a browser."""

import base64
import hashlib
import html
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import resources
from itertools import groupby
from pathlib import Path
from string import Template
from typing import Any, TextIO

from cctranslate.batch.gallery.thumbnails import Thumbnails
from cctranslate.batch.report import formats
from cctranslate.batch.report.schema import readable
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import OutputError

ROWS = 20_000
"""How many of a report's rows a page holds."""
Face = list[dict[str, str]]
"""The rows of one face, or the one row of an input without a result."""


@dataclass
class _Totals:
    """What the whole report says; `heat` of a source and a target: confirmed, results."""

    rows: int = 0
    faces: int = 0
    results: int = 0
    confirmed: int = 0
    targets: Counter[str] = field(default_factory=Counter)
    heat: dict[str, dict[str, dict[str, list[int]]]] = field(
        default_factory=lambda: {"label": {}, "read": {}}
    )

    def add(self, face: Face) -> None:
        self.faces += 1
        self.rows += len(face)
        for row in face:
            if row["target"]:
                self.targets[row["target"]] += 1
            if row["status"] == "done":
                self._count(row, row["confirmed"] == "true")

    def _count(self, row: dict[str, str], confirmed: bool) -> None:
        self.results += 1
        self.confirmed += confirmed
        for by, column in (("label", "source_label"), ("read", "source_predicted")):
            cells = self.heat[by].setdefault(row[column] or "unknown", {})
            cell = cells.setdefault(row["target"], [0, 0])
            cell[0] += confirmed
            cell[1] += 1


def write(place: Path, journal: Path, run: dict[str, Any], limit: int = ROWS) -> None:
    """Write the page of a report into the folder where its results are.

    What is held in memory is bounded by `limit`, not by the report: it is read twice. Of a report
    with more rows the page shows so many, spread evenly; its counts are of all. `run` is what
    `run.json` says.

    Raises:
        OutputError: the page cannot be written; one that is there stays as it was.
    """
    totals = _Totals()
    for face in _faces(journal):
        totals.add(face)
    partial = place.with_name(f".{place.name}.partial")
    try:
        try:
            with partial.open("w", encoding="utf-8", newline="\n") as file:
                _fill(file, place.parent, journal, run, totals, limit)
            partial.replace(place)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{place}: cannot be written: {error.strerror or error}") from None


def remove(place: Path) -> None:
    """Take a page away, if there is one.

    Raises:
        OutputError: it stays.
    """
    try:
        place.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{place}: cannot be removed: {error.strerror}") from None


def _fill(
    file: TextIO, out: Path, journal: Path, run: dict[str, Any], totals: _Totals, limit: int
) -> None:
    """The shell with its parts where they belong, the long ones as they come."""
    head, middle, end = _parts("page.html")
    style, script = _text("page.css"), _text("page.js")
    policy = f"default-src 'none'; img-src 'self' file: data:; style-src {_hash(style)}; "
    policy += f"script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    title = html.escape(readable(out.resolve().name))
    file.write(head.substitute(policy=policy, title=title, style=style))
    thumbnails = Thumbnails(os.path.abspath(out))  # noqa: PTH100
    faces = (_face(face, out, thumbnails) for face in _spread(journal, totals, limit))
    file.writelines(_joined(map(_json, faces)))
    file.write(middle.substitute())
    file.writelines(_joined(f'"{number}":"{jpeg}"' for number, jpeg in thumbnails.made()))
    told = _told(run, totals) | {"unseen": thumbnails.unseen}
    file.write(end.substitute(run=_json(told), script=script))


def _told(run: dict[str, Any], totals: _Totals) -> dict[str, Any]:
    return {
        "finished": run["finished"],
        "inputs": {status: run[status] for status in ("done", "skipped", "failed")},
        "rows": totals.rows,
        "results": totals.results,
        "confirmed": totals.confirmed,
        "targets": [emotion for emotion in EMOTIONS if emotion in totals.targets],
        "heat": totals.heat,
        "separator": os.sep,
    }


def _faces(journal: Path) -> Iterator[Face]:
    for _, rows in groupby(formats.read(journal), key=lambda row: (row["source"], row["face"])):
        yield list(rows)


def _spread(journal: Path, totals: _Totals, limit: int) -> Iterator[Face]:
    """As many faces, spread evenly, as have at most `limit` rows on average; all if all fit."""
    wanted = totals.faces if totals.rows <= limit else totals.faces * limit // totals.rows
    for i, face in enumerate(_faces(journal)):
        if i * wanted // totals.faces != (i + 1) * wanted // totals.faces:
            yield face


def _face(rows: Face, out: Path, thumbnails: Thumbnails) -> list[Any]:
    """A face as the page's script unpacks it."""
    row = rows[0]
    usable = row["width"] != ""
    return [
        readable(row["source"]),
        int(row["face"] or 0),
        int(row["faces"] or 0),
        thumbnails.show(row["source"], row) if usable else None,
        [int(side) for side in row["box"].split()] if row["score"] else None,
        int(row["width"] or 0),
        int(row["height"] or 0),
        row["source_label"],
        row["source_predicted"],
        [_result(row, out, thumbnails) for row in rows],
    ]


def _result(row: dict[str, str], out: Path, thumbnails: Thumbnails) -> list[Any]:
    strength, sample = row["strength"], row["sample"]
    variant = f" x{strength}" * (strength not in ("", "1"))
    variant += f" s{sample}" * (sample not in ("", "1"))
    judged = row["confidence"] != ""
    return [
        row["target"],
        variant,
        row["status"],
        thumbnails.show(str(out / row["output"]), row) if row["output"] else None,
        row["predicted"],
        int(row["confirmed"] == "true"),
        float(row["confidence"]) if judged else None,
        readable(row["reason"]),
        [round(float(row[f"p_{emotion}"]), 4) for emotion in EMOTIONS] if judged else None,
    ]


def _json(value: object) -> str:
    """JSON in ASCII that ends no script element and begins no comment."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _joined(parts: Iterable[str]) -> Iterator[str]:
    """Members of a JSON array or object, one a line."""
    separator = ""
    for part in parts:
        yield separator + part
        separator = ",\n"


def _parts(name: str) -> list[Template]:
    """The shell before, between and after its long parts."""
    return [Template(part) for part in re.split(r"\$faces|\$pictures", _text(name))]


def _text(name: str) -> str:
    return (
        resources.files("cctranslate.batch.gallery")
        .joinpath("static", name)
        .read_text(encoding="utf-8")
    )


def _hash(content: str) -> str:
    """The policy lets only what has this digest style the page, or run."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
