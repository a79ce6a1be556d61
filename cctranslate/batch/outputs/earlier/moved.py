"""Find the inputs of a run whose folder was moved or copied with OUT, and rename its sources."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cctranslate.batch.outputs.folder import FOLDER, PLACE, REPORT
from cctranslate.batch.report.formats import read_inputs, write
from cctranslate.batch.report.source_keys import absolute_path, is_path, split_member
from cctranslate.files.paths import real_path


def followed(out: Path, run: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a `run.json`, with the folder that holds the report's inputs now.

    If OUT was moved or copied, and an input lies beside it as before, then relative paths of the
    report start where that input does. If OUT alone was moved, they start where they did.

    Raises:
        OptionError: The report is damaged.
    """
    place, folder = run.get(PLACE), run.get(FOLDER)
    now = str(real_path(out))
    if place is None or folder is None or place == now:
        return run
    beside = os.path.normpath(os.path.join(now, os.path.relpath(folder, place)))  # noqa: PTH118
    if not _holds_input(Path(beside), out / REPORT):
        return run
    return run | {FOLDER: beside, PLACE: now}


def _holds_input(folder: Path, report: Path) -> bool:
    """Return whether an input that the report names by a relative path lies in a folder."""
    for rows, _ in read_inputs(report):
        path, _ = split_member(rows[0].source)
        if is_path(rows[0].source) and not Path(path).is_absolute() and (folder / path).exists():
            return True
    return False


@dataclass(frozen=True, kw_only=True)
class Move:
    """A move of a folder with OUT and inputs in it, of which the report has the old paths."""

    old: str
    """The folder before, or one above it."""
    new: str
    """The same folder now."""
    base: Path
    """The folder from which the report's relative paths start."""

    @classmethod
    def of(cls, out: Path, run: dict[str, Any], base: Path) -> "Move | None":
        """Return how OUT moved since `run.json` was written; None if not, or if it was renamed.

        `base` is the folder that `followed` finds.
        """
        if PLACE not in run or FOLDER not in run:
            return None
        old, new = Path(run[PLACE]), real_path(out)
        if old == new or old.name != new.name:
            return None
        while old.name == new.name and old.name:
            old, new = old.parent, new.parent
        return cls(old=str(old), new=str(new), base=base)

    def renamed(self, source: str) -> str:
        """Return a source by its path now, if it is gone from the old path and lies at the new."""
        if not is_path(source):
            return source
        for path, member in ((source, ""), split_member(source)):  # a file's name may have a `:`
            before = absolute_path(path, self.base)
            if os.path.lexists(before):
                return source
            if not Path(before).is_relative_to(self.old):
                continue
            now = Path(self.new, Path(before).relative_to(self.old))
            if os.path.lexists(now):
                stays_relative = not Path(path).is_absolute() and now.is_relative_to(self.base)
                return f"{now.relative_to(self.base) if stays_relative else now}{member}"
        return source


def rename_sources(report: Path, move: Move) -> bool:
    """Give a report the paths that its sources have now; return whether any was moved.

    Raises:
        OptionError: The report is damaged.
        OutputError: It cannot be written; it stays as it was.
    """
    sources = (rows[0].source for rows, _ in read_inputs(report))
    if all(move.renamed(source) == source for source in sources):
        return False
    write(
        (
            replace(row, source=source)
            for rows, _ in read_inputs(report)
            for source in [move.renamed(rows[0].source)]
            for row in rows
        ),
        report,
    )
    return True
