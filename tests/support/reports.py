"""Read back what a run wrote; write inputs whose reports are hard to make."""

import csv
import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cctranslate.batch.report.cell_types import name_from_text
from cctranslate.batch.report.counts import Counts, count
from cctranslate.batch.report.formats import read_inputs
from cctranslate.batch.report.schema import NAMES
from tests.support import pictures

ODD_NAMES = (
    b"quo\"te's.png",
    b"a#b?c%20d&amp;.png",
    b"<img src=x onerror=document.title=1>.png",
    b"caf\xe9.png",
    b"line\nbreak.png",
    b" x:y.png",
)
SCRIPT = "</script><script>document.title=1</script>.png"


def rows(out: Path) -> list[dict[str, str]]:
    """The report's rows."""
    names = ("source", "output", "reason", "result_name")
    with (out / "report.csv").open(newline="", encoding="utf-8") as file:
        return [
            row | {name: name_from_text(row[name]) for name in names}
            for row in csv.DictReader(file)
        ]


def count_lines(out: Path) -> int:
    """Return the number of lines of the report, its header included; 0 if there is none yet."""
    report = out / "report.csv"
    return report.read_bytes().count(b"\n") if report.exists() else 0


def timeless(out: Path) -> list[dict[str, str]]:
    """Return the report's rows, if there is one, without the time that each took."""
    return [{**row, "ms": ""} for row in rows(out)] if (out / "report.csv").exists() else []


def tree(out: Path) -> dict[str, bytes]:
    """Every result file below a folder, by relative path."""
    files = [p for p in out.rglob("*") if p.is_file() and p.suffix not in (".json", ".html")]
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in files if p.suffix != ".csv"}


def write_odd(folder: Path) -> list[Path]:
    """Inputs of every kind: odd names, a TIFF, what fails and what is skipped, a zip, a dataset.

    All but the bright face, which the tiny judge calls neutral, are confirmed.
    """
    odd = folder / "in"
    odd.mkdir(parents=True)
    for number, name in enumerate(ODD_NAMES):
        Image.fromarray(pictures.draw_face(number, 1)).save(folder / "face.png")
        (folder / "face.png").rename(os.fsdecode(os.fsencode(odd) + b"/" + name))
    Image.fromarray(pictures.draw_face(3, 2)).save(odd / "face.tif")
    Image.fromarray(np.full((48, 48), 255, np.uint8)).save(odd / "bright.png")
    (odd / "broken <b>.png").write_bytes(b"\x89PNG\r\n")
    (odd / "notes.txt").write_text("no picture")
    with zipfile.ZipFile(folder / "faces.zip", "w") as archive:
        Image.fromarray(pictures.draw_face(1, 4)).save(folder / "member.png")
        archive.write(folder / "member.png", SCRIPT)
        archive.write(folder / "member.png", "b/plain.png")
    pictures.group().save(folder / "group.png")
    table = pictures.write_csv(folder / "faces.csv", 7)
    return [odd, folder / "faces.zip", folder / "group.png", table]


def data(page: Path) -> dict[str, Any]:
    """What is in a page's data blocks, by their ids."""
    block = r'<script type="application/json" id="(\w+)">(.*?)</script>'
    found = re.findall(block, page.read_text(encoding="utf-8"), re.DOTALL)
    return {name: json.loads(text) for name, text in found}


def page_results(message: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return each result of a page with its face."""
    return [(face, result) for face in message["faces"] for result in face["results"]]


def replicate(out: Path, count: int, folder: Path) -> Path:
    """A report of `count` rows: those of a run over and over, of sources by other names."""
    own, journal = rows(out), folder / "report.csv"
    folder.mkdir()
    with journal.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.DictWriter(file, NAMES, lineterminator="\n")
        writer.writeheader()
        for number in range(count):
            row = own[number % len(own)]
            alone = {name: row[name] and "1" for name in ("faces", "face", "results_per_face")}
            writer.writerow(row | alone | {"source": f"{number:07}.png"})
    return journal


def counted(journal: Path) -> Counts:
    """The counts of a report's rows."""
    return count(rows for rows, _ in read_inputs(journal))
