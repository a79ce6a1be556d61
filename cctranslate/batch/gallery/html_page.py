"""Write `report.html`: a page to look through a run, in one file that needs only a browser."""

import base64
import hashlib
import io
import json
import os
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from cctranslate.batch.gallery.thumbnails import Thumbnails
from cctranslate.batch.inputs.decoding import NO_FACE_DETECTED
from cctranslate.batch.report import formats
from cctranslate.batch.report.cell_types import readable
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.row import STATUSES, Row
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import OutputError
from cctranslate.files.paths import real_path
from cctranslate.files.writing import atomic_write
from cctranslate.inference.variants import spell_tags

ROWS = 20_000
"""Most rows of a report that a page holds."""
SCRIPTS = ("results.js", "list.js", "large.js", "main.js")
"""The page's script, in the order in which its parts use each other."""
Face = list[Row]
"""The rows of one face, or the one row of an input without a result."""


def write(
    path: Path,
    report: Path,
    counts: Counts,
    run: dict[str, Any],
    limit: int = ROWS,
    *,
    in_store: bool = False,
) -> None:
    """Write the page of a report into the folder where its results are.

    The report is streamed, so memory is bounded by `limit` and not by the report's length. A
    longer report is thinned evenly to `limit` rows; `counts` are of all rows.

    Args:
        path: The page.
        report: The report.
        counts: Counts of the whole report.
        run: The content of `run.json`.
        limit: Most rows that the page holds.
        in_store: Whether the results are in a store, where the page is uploaded, too.

    Raises:
        OutputError: The page cannot be written; an earlier one stays as it was.
    """
    with atomic_write(path) as raw, io.TextIOWrapper(raw, "utf-8", newline="\n") as file:
        file.writelines(_content(path.parent, report, run, counts, limit, in_store))


def remove(path: Path) -> None:
    """Remove a page, if there is one.

    Raises:
        OutputError: It cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be removed: {error.strerror}") from None


def _content(
    out: Path, report: Path, run: dict[str, Any], counts: Counts, limit: int, in_store: bool
) -> Iterator[str]:
    """Yield the page piece by piece: thumbnails are encoded after all faces are listed."""
    style, script = _text("page.css"), "\n".join(map(_text, SCRIPTS))
    policy = f"default-src 'none'; img-src 'self' file: data:; style-src {_hash(style)}; "
    policy += f"script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    thumbnails = Thumbnails(os.path.abspath(out), in_store)  # noqa: PTH100
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["to_json"] = _json
    return environment.from_string(_text("page.html")).generate(
        policy=policy,
        title=readable(real_path(out).name),
        style=style,
        script=script,
        emotions=EMOTIONS,
        faces=(_face(face, out, thumbnails) for face in _spread(report, counts, limit)),
        pictures=thumbnails.encoded(),
        run=lambda: _summary(run, counts) | {"unseen": thumbnails.unseen},
    )


def _summary(run: dict[str, Any], counts: Counts) -> dict[str, Any]:
    return {
        "finished": run["finished"],
        "inputs": {status: run[status] for status in STATUSES},
        "rows": counts.rows,
        "results": counts.results.total(),
        "confirmed": counts.confirmed.total(),
        "emotions": EMOTIONS,
        "targets": [emotion for emotion in EMOTIONS if emotion in counts.targets],
        "heat": {"label": counts.by_label, "read": counts.by_prediction},
        "separator": os.sep,
    }


def _spread(report: Path, counts: Counts, limit: int) -> Iterator[Face]:
    """Yield all faces; if they have more than `limit` rows, an evenly spread part of them."""
    wanted = counts.faces if counts.rows <= limit else counts.faces * limit // counts.rows
    return formats.read_faces(
        report, lambda i: i * wanted // counts.faces != (i + 1) * wanted // counts.faces
    )


def _face(rows: Face, out: Path, thumbnails: Thumbnails) -> dict[str, Any]:
    """Return a face with its results, for the page's script."""
    row = rows[0]
    return {
        "source": readable(row.source),
        "face": row.face or 0,
        "faces": row.faces or 0,
        "picture": _source(row, thumbnails),
        "box": row.box if row.score is not None else None,
        "width": row.width or 0,
        "height": row.height or 0,
        "label": row.source_label or "",
        "read": row.source_predicted or "",
        "results": [_result(row, out, thumbnails) for row in rows],
    }


def _source(row: Row, thumbnails: Thumbnails) -> str | int | None:
    if row.width:
        return thumbnails.show(row.source, row)
    # Its size is unknown, and so how long it would take to draw.
    return thumbnails.link(row.source) if row.reason == NO_FACE_DETECTED else None


def _result(row: Row, out: Path, thumbnails: Thumbnails) -> dict[str, Any]:
    return {
        "target": row.target or "",
        "variant": spell_tags(row.strength, row.sample),
        "status": row.status,
        "picture": thumbnails.show(str(out / row.output), row) if row.output else None,
        "predicted": row.predicted or "",
        "confirmed": bool(row.confirmed),
        "confidence": row.confidence,
        "reason": readable(row.reason or ""),
        "probabilities": row.probabilities and [round(p, 4) for p in row.probabilities],
    }


def _json(value: object) -> Markup:
    """Return ASCII JSON that is safe inside a script element."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))


def _text(name: str) -> str:
    static = resources.files("cctranslate.batch.gallery") / "static" / name
    return static.read_text(encoding="utf-8")


def _hash(content: str) -> str:
    """Return the digest by which the content security policy allows a style or a script."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
