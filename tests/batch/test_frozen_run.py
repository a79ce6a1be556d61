"""Freeze what `batch` writes, so that a move or a refactoring shows that it changed nothing.

Each set of options runs on the same inputs; what it leaves is described and compared with
`frozen/<set>.json`. A change that is meant rewrites these files, and their diff is reviewed:

    CCTRANSLATE_REFREEZE=1 pytest tests/batch/test_frozen_run.py

The description leaves out what differs between machines and calls: times, versions, absolute
paths, the device, the number of workers, and the digests of the tiny bundle. A picture is its
decoded pixels and metadata, so another zlib or Pillow gives the same. Fractions have three digits.
The command line is all that is used of the package, so that its modules can be renamed.
"""

import base64
import csv
import difflib
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.cli import Run

FROZEN = Path(__file__).parent / "frozen"
DATASETS = Path(__file__).parents[2] / "datasets"
INPUTS = ("in", "pair.zip", "fer.csv")
HALF_AND_FULL = ("--strength", "0.5", "--strength", "1", "--report", "out.jsonl")
SETS = {
    "imagefolder": ("--to", "happy,sad"),
    "tree": ("--to", "sad", "--layout", "tree", *HALF_AND_FULL),
    "webdataset": ("--to", "happy,sad", "--layout", "webdataset"),
    "fer-csv": ("--to", "angry,surprise", "--layout", "fer-csv"),
    "samples": ("--to", "fear", "--samples", "2", "--result", "face"),
}
UNSTABLE = {"ms", "seconds", "inputs_per_second", "cctranslate", "provider"}
UNSTABLE |= {"source_size", "source_mtime_ns", "output_size", "output_sha256"}
UNSTABLE |= {"device", "workers", "weights", "generator", "judge", "folder", "place"}
UNSTABLE |= {"engine", "--engine", "inputs_checked_ns"}


def gray(seed: int) -> Image.Image:
    """A gray picture that needs no drawing or random library; the third is bright."""
    y, x = np.indices((48, 48))
    level = (x * (seed + 2) + y * (2 * seed + 3)) % 190 + (65 if seed == 2 else 0)
    level[16:32, 16:32] = 250 if seed == 2 else 60 + 20 * seed
    return Image.fromarray(level.astype(np.uint8))


def png(seed: int) -> bytes:
    file = io.BytesIO()
    gray(seed).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def digests(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Write the inputs, make their folder the current one, and return names by digest."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(weights, "weights")
    contents = {"in/a.png": png(0), "in/angry/b.png": png(1), "in/bright.png": png(2)}
    contents["in/colour.jpg"] = (DATASETS / "samples" / "collins-colour.jpg").read_bytes()
    contents["in/found.jpg"] = (DATASETS / "portraits" / "bohr.jpg").read_bytes()
    contents["in/corrupt.png"] = png(3)[:60]
    contents["in/notes.txt"] = b"no picture\n"
    for name, content in contents.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content)
    members = {"c.png": png(4), "happy/d.png": png(5)}
    with zipfile.ZipFile("pair.zip", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    rows = [f"{seed},{' '.join(map(str, np.asarray(gray(seed + 6)).ravel()))}" for seed in (0, 1)]
    Path("fer.csv").write_text(f"emotion,pixels,Usage\n{rows[0]},Training\n{rows[1]},PublicTest\n")
    everything = contents | members
    return {hashlib.sha256(content).hexdigest(): name for name, content in everything.items()}


def short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def plain(text: str, digests: dict[str, str]) -> str:
    """Return text with what differs between machines replaced."""
    for digest, name in digests.items():
        text = text.replace(digest, f"sha256 of {name}")
    text = re.sub(r"cctranslate \d+\.\d+\.\d+", "cctranslate VERSION", text)
    text = re.sub(r"\b\d(\.\d+)?e-\d\d\b", "0.0", text)
    return re.sub(r"\b\d\.\d{4,}\b", lambda number: f"{float(number[0]):.3f}", text)


def stable(value: Any) -> Any:
    """Return JSON data without its unstable members."""
    if isinstance(value, dict):
        return {name: stable(item) for name, item in value.items() if name not in UNSTABLE}
    return round(value, 3) if isinstance(value, float) else value


def picture(content: bytes, digests: dict[str, str]) -> str:
    with Image.open(io.BytesIO(content)) as file:
        size = f"{file.format} {file.mode} {file.width}x{file.height}"
        pixels = short(file.tobytes())
        # Pillow gives XMP twice, and JFIF's facts are its encoder's.
        facts = {k: v for k, v in file.info.items() if not str(k).startswith(("xmp", "jfif"))}
    return plain(f"{size}, pixels {pixels}, metadata {sorted(facts.items())}", digests)


def table(content: bytes, digests: dict[str, str]) -> list[str]:
    """Return a report's rows, a line each; of `fer2013.csv` the pixels' digest."""
    rows = []
    for row in csv.DictReader(io.StringIO(content.decode(), newline="")):
        cells = {k: short(v.encode()) if k == "pixels" else v for k, v in stable(row).items()}
        rows.append(plain(", ".join(f"{k}={v}" for k, v in cells.items()), digests))
    return rows


def page(content: bytes, digests: dict[str, str]) -> dict[str, Any]:
    """Return the digest of the page's text, and its thumbnails, which come in any order."""
    thumbnail = re.compile(r'^"(\d+)":"([^"]+)",?$', re.MULTILINE)
    text = content.decode()
    found = sorted(thumbnail.findall(text), key=lambda pair: int(pair[0]))
    return {
        "text": short(plain(thumbnail.sub("", text), digests).encode()),
        "thumbnails": [picture(base64.b64decode(jpeg), {}) for _, jpeg in found],
    }


def shard(content: bytes, digests: dict[str, str]) -> list[Any]:
    """Return the members of a tar in their order."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return [
            [f"{m.name} mode {m.mode:o} mtime {m.mtime}", described(m.name, file.read(), digests)]
            for m in archive
            if (file := archive.extractfile(m))
        ]


def described(name: str, content: bytes, digests: dict[str, str]) -> Any:
    match Path(name).suffix:
        case ".png":
            return picture(content, digests)
        case ".csv":
            return table(content, digests)
        case ".html":
            return page(content, digests)
        case ".json":
            return json.loads(plain(json.dumps(stable(json.loads(content))), digests))
        case ".jsonl":
            return [described("line.json", line, digests) for line in content.splitlines()]
        case ".tar":
            return shard(content, digests)
    return short(content)


def left(digests: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Give each file that a run left, by name."""
    for path in sorted(Path().glob("out*/**/*")) + sorted(Path().glob("out*")):
        if path.is_file():
            yield path.as_posix(), described(path.name, path.read_bytes(), digests)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("name", SETS)
def test_a_run_writes_the_frozen_files_and_messages(
    run: Run, digests: dict[str, str], name: str, workers: int
) -> None:
    fixed = ("--weights", "weights", "-o", "out", "--workers", str(workers))
    result = run(*INPUTS, *SETS[name], *fixed)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    lines = plain(result.output, digests).splitlines()
    found = {"exit": result.exit_code, "said": lines, "files": dict(left(digests))}
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    frozen = FROZEN / f"{name}.json"
    if os.environ.get("CCTRANSLATE_REFREEZE") and workers == 1:
        FROZEN.mkdir(exist_ok=True)
        frozen.write_text(text, encoding="utf-8", newline="\n")
    lines = frozen.read_text(encoding="utf-8").splitlines()
    diff = difflib.unified_diff(lines, text.splitlines(), frozen.name, "now", n=1, lineterm="")
    if changes := "\n".join(diff):
        pytest.fail(f"the run is not what it was:\n{changes}", pytrace=False)
