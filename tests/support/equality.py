"""Whether two runs left the same."""

import json
import tarfile
from pathlib import Path

from cctranslate.batch.report.schema import NAMES
from tests.support.reports import rows

TIMES = {"ms"}


def report(out: Path) -> list[dict[str, str]]:
    """A run's rows, without times, and without the number of the tar that a result lies in."""
    return [
        {
            name: row[name].partition(".tar:")[2] or row[name] if name == "output" else row[name]
            for name in NAMES
            if name not in TIMES
        }
        for row in rows(out)
    ]


def results(out: Path) -> dict[str, bytes]:
    """The files of a run and the members of its tars, without what is about the run."""
    found = {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and path.suffix != ".tar" and path.parent != out
    }
    table = out / "fer2013.csv"
    if table.exists():
        found[table.name] = table.read_bytes()
    for path in out.glob("*.tar"):
        with tarfile.open(path) as archive:
            for info in archive:
                file = archive.extractfile(info)
                assert file
                assert info.name not in found
                found[info.name] = file.read()
    return found


def counts(out: Path) -> dict[str, object]:
    """What `run.json` says of the outcome."""
    content = json.loads((out / "run.json").read_text())
    names = ("asked", "finished", "found", "done", "skipped", "failed", "confirmed_share")
    return {name: content[name] for name in names}


def assert_same(mine: Path, theirs: Path) -> None:
    """Check that two runs left the same results, rows and counts."""
    assert report(mine) == report(theirs)
    assert counts(mine) == counts(theirs)
    ours, others = results(mine), results(theirs)
    assert sorted(ours) == sorted(others)
    assert [name for name in ours if ours[name] != others[name]] == []
