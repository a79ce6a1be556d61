"""Files that are no inputs: outputs of this run, earlier results, and what patterns exclude."""

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from cctranslate.batch.outputs.folder import COPIES, PAGE, REPORT, RUN
from cctranslate.batch.outputs.layout import TABLE, TAR_NAME
from cctranslate.batch.outputs.ownership import is_marked
from cctranslate.batch.report.cell_types import name_from_text
from cctranslate.files.remote import is_remote

EARLIER, PATTERNS = "results of earlier runs", "by --include and --exclude"
"""Reasons for which a file is left out."""
_REPORT_HEAD = b"source,faces,face,box,score,target,output,"
"""The first bytes of our reports."""
_MARKED = (".png", ".jpg", ".jpeg", ".webp")
"""Suffixes of pictures that may carry our mark."""
_OURS = {REPORT, RUN, PAGE, TABLE, *COPIES}


class OutputPaths:
    """The files and folders that a run writes, which are never inputs."""

    def __init__(self, paths: Iterable[Path]) -> None:
        all_paths = tuple(paths)
        self._remote = tuple(str(path) for path in all_paths if is_remote(path))
        self.paths = tuple(path for path in all_paths if not is_remote(path))
        self._real = tuple(map(os.path.realpath, self.paths))
        self._folder = lru_cache(1000)(os.path.realpath)

    def holds(self, path: Path) -> bool:
        """Return whether a path is one of them or lies in one."""
        if is_remote(path):
            url = str(path)
            return any(url == ours or url.startswith(f"{ours}/") for ours in self._remote)
        # Only the folder is resolved, once for all its files: a list may be long.
        real = os.path.normpath(os.path.join(self._folder(path.parent), path.name))  # noqa: PTH118
        return any(real == ours or real.startswith(ours + os.sep) for ours in self._real)


class InputFilter:
    """Decides which files in folders and archives are inputs, and counts the others."""

    def __init__(self, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> None:
        """Take shell patterns. A pattern is for names, or for paths if it has a `/`."""
        self._include, self._exclude = tuple(include), tuple(exclude)
        self._results = lru_cache(4)(_listed_results)
        self.left_out: Counter[str] = Counter()
        """How many files were left out, by `EARLIER` or `PATTERNS`."""

    def echo_left_out(self, echo: Callable[[str], object]) -> None:
        """Print how many files were left out, by reason."""
        for reason, count in sorted(self.left_out.items()):
            if count:
                echo(f"  {count} left out: {reason}")

    def takes_name(self, relative: str) -> bool:
        """Return whether the patterns take a path relative to its folder or archive."""
        included = not self._include or any(_matches(relative, p, 1) for p in self._include)
        taken = included and not any(_matches(relative, p, None) for p in self._exclude)
        self.left_out[PATTERNS] += not taken
        return taken

    def takes_file(self, path: Path, relative: str) -> bool:
        """Return whether a file in a folder is an input.

        Results of earlier runs are not: they carry our mark, or a report beside them lists them.
        """
        if self._is_earlier_result(path, relative):
            self.left_out[EARLIER] += 1
            return False
        return self.takes_name(relative)

    def _is_earlier_result(self, path: Path, relative: str) -> bool:
        folder, name = os.path.split(path)
        inner = name
        for above in range(relative.count("/") + 1):
            results = self._results(folder)
            if results and above == 0 and (name in _OURS or TAR_NAME.fullmatch(name)):
                return True
            if inner in results:
                return True
            folder, last = os.path.split(folder)
            inner = f"{last}/{inner}"
        suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122
        if suffix == ".csv":
            return _is_report(path)
        try:
            return suffix in _MARKED and is_marked(path)
        except OSError:
            return False


def _matches(relative: str, pattern: str, last: int | None) -> bool:
    """Return whether a pattern matches a relative path.

    A pattern without a `/` is for the last `last` names in the path, or for all if that is None.
    """
    if "/" in pattern:
        return fnmatchcase(relative, pattern)
    names = relative.split("/")
    return any(fnmatchcase(name, pattern) for name in (names[-last:] if last else names))


def _is_report(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_REPORT_HEAD)) == _REPORT_HEAD
    except OSError:
        return False


def _listed_results(folder: str) -> frozenset[str]:
    """Return the outputs that the report in a folder lists; none if there is no report."""
    report = Path(folder, REPORT)
    return frozenset(_outputs(report)) if _is_report(report) else frozenset()


def _outputs(report: Path) -> Iterator[str]:
    yield REPORT
    try:
        with report.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            yield from (
                name_from_text(row["output"]) for row in csv.DictReader(file) if row["output"]
            )
    except (OSError, csv.Error):
        return
