"""Find the inputs of a run whose folder was moved or copied together with OUT."""

import os
from pathlib import Path
from typing import Any

from cctranslate.batch.outputs.folder import FOLDER, PLACE, REPORT
from cctranslate.batch.report.formats import read_inputs
from cctranslate.files.paths import real_path
from cctranslate.files.remote import is_remote


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
    if not report.exists():
        return False
    for rows, _ in read_inputs(report):
        source = rows[0].source
        path = source.partition(":")[0]  # of a member: its archive
        is_relative = path and path != "-" and not Path(path).is_absolute()
        if is_relative and not is_remote(source) and (folder / path).exists():
            return True
    return False
