"""`report.html`: a run to look through, in one file that needs nothing but a browser."""

import base64
import hashlib
import html
import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any, TextIO

from cctranslate.batch.gallery.thumbnails import Thumbnails
from cctranslate.batch.report import formats
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.schema import Row, readable
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import OutputError
from cctranslate.files import atomic_write
from cctranslate.inference.variants import spell_strength

ROWS = 20_000
"""How many of a report's rows a page holds."""
Face = list[Row]
"""The rows of one face, or the one row of an input without a result."""


def write(
    place: Path, journal: Path, counts: Counts, run: dict[str, Any], limit: int = ROWS
) -> None:
    """Write the page of a report into the folder where its results are.

    What is held in memory is bounded by `limit`, not by the report: Of a report with more rows the
    page shows that many, spread evenly; `counts` are of all. `run` is the content of `run.json`.

    Raises:
        OutputError: the page cannot be written; one that is there stays as it was.
    """
    with atomic_write(place) as raw, io.TextIOWrapper(raw, "utf-8", newline="\n") as file:
        _fill(file, place.parent, journal, run, counts, limit)


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
    file: TextIO, out: Path, journal: Path, run: dict[str, Any], counts: Counts, limit: int
) -> None:
    """The shell with its parts where they belong, the long ones as they come."""
    head, middle, end = _parts("page.html")
    style, script = _text("page.css"), _text("page.js")
    policy = f"default-src 'none'; img-src 'self' file: data:; style-src {_hash(style)}; "
    policy += f"script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    title = html.escape(readable(out.resolve().name))
    file.write(head.substitute(policy=policy, title=title, style=style))
    thumbnails = Thumbnails(os.path.abspath(out))  # noqa: PTH100
    faces = (_face(face, out, thumbnails) for face in _spread(journal, counts, limit))
    file.writelines(_joined(map(_json, faces)))
    file.write(middle.substitute())
    file.writelines(_joined(f'"{number}":"{jpeg}"' for number, jpeg in thumbnails.made()))
    told = _told(run, counts) | {"unseen": thumbnails.unseen}
    file.write(end.substitute(run=_json(told), script=script))


def _told(run: dict[str, Any], counts: Counts) -> dict[str, Any]:
    return {
        "finished": run["finished"],
        "inputs": {status: run[status] for status in ("done", "skipped", "failed")},
        "rows": counts.rows,
        "results": counts.results.total(),
        "confirmed": counts.confirmed.total(),
        "targets": [emotion for emotion in EMOTIONS if emotion in counts.targets],
        "heat": {"label": counts.by_label, "read": counts.by_prediction},
        "separator": os.sep,
    }


def _spread(journal: Path, counts: Counts, limit: int) -> Iterator[Face]:
    """As many faces, spread evenly, as have at most `limit` rows on average; all if all fit."""
    wanted = counts.faces if counts.rows <= limit else counts.faces * limit // counts.rows
    for i, face in enumerate(formats.read_faces(journal)):
        if i * wanted // counts.faces != (i + 1) * wanted // counts.faces:
            yield face


def _face(rows: Face, out: Path, thumbnails: Thumbnails) -> list[Any]:
    """A face as the page's script unpacks it."""
    row = rows[0]
    return [
        readable(row.source),
        row.face or 0,
        row.faces or 0,
        thumbnails.show(row.source, row) if row.width else None,
        row.box if row.score is not None else None,
        row.width or 0,
        row.height or 0,
        row.source_label or "",
        row.source_predicted or "",
        [_result(row, out, thumbnails) for row in rows],
    ]


def _result(row: Row, out: Path, thumbnails: Thumbnails) -> list[Any]:
    variant = "" if row.strength in (None, 1) else f" x{spell_strength(row.strength)}"
    variant += "" if row.sample in (None, 1) else f" s{row.sample}"
    return [
        row.target or "",
        variant,
        row.status,
        thumbnails.show(str(out / row.output), row) if row.output else None,
        row.predicted or "",
        int(bool(row.confirmed)),
        row.confidence,
        readable(row.reason or ""),
        row.probabilities and [round(p, 4) for p in row.probabilities],
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
