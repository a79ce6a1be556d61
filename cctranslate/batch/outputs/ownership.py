"""Tell the files that a run of ours wrote from all others: only ours are ever replaced."""

import csv
import json
import re
import tarfile
from pathlib import Path

from cctranslate.batch.outputs.mark import is_marked
from cctranslate.batch.report.schema import NAMES
from cctranslate.emotions import EMOTIONS

_HEAD = 1 << 16
_SAMPLE = re.compile(rf"(?:{'|'.join(EMOTIONS)})/[^/]+\.cls")


def is_ours(path: Path) -> bool:
    """Return whether a file carries the marks of what `batch` writes.

    A picture carries the mark of a model's work, a tar begins with a sample of ours, and a report
    has our columns. An empty file is nobody's work and may be replaced.
    """
    try:
        if not path.is_file():
            return False
        if path.stat().st_size == 0:
            return True
        if path.suffix == ".tar":
            return _is_our_tar(path)
        if path.suffix in (".csv", ".jsonl", ".parquet"):
            return _is_our_report(path)
        return is_marked(path)
    except (OSError, ValueError, tarfile.TarError):
        return False


def _is_our_tar(path: Path) -> bool:
    with tarfile.open(path, "r:") as archive:
        first = archive.next()
    return first is not None and bool(_SAMPLE.fullmatch(first.name))


def _is_our_report(path: Path) -> bool:
    if path.suffix == ".parquet":
        from pyarrow import parquet

        return tuple(parquet.read_schema(path).names) == NAMES
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        first = file.readline(_HEAD)
    if path.suffix == ".csv":
        return tuple(next(csv.reader([first]), ())) == NAMES
    return tuple(json.loads(first)) == NAMES
