"""Claim OUT for a run, and with `--overwrite` remove what earlier runs wrote to it."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from cctranslate.batch.outputs.earlier.moved import Move, followed, rename_sources
from cctranslate.batch.outputs.folder import (
    CHECKED,
    COPIES,
    FOLDER,
    NEXT_REPORT,
    NEXT_TABLE,
    OWNER,
    PAGE,
    PLACE,
    REPORT,
    REQUESTED,
    RUN,
    TO,
    other_owner,
    path_from,
    read_owner,
    read_run,
    refuse_other_owner,
    refuse_other_run,
    requested_of,
    unconfirmed_of,
    write_run,
)
from cctranslate.batch.outputs.layout import TABLE, TAR_NAME
from cctranslate.batch.outputs.ownership import is_ours
from cctranslate.batch.report.formats import read
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import OptionError
from cctranslate.files.paths import real_path
from cctranslate.files.writing import unwritable


def claim(out: Path, unconfirmed: Path | None, requested: dict[str, Any], overwrite: bool) -> None:
    """Claim the folder `out` for the run that `requested` describes, or resume that run.

    The folder `unconfirmed` is claimed with it.

    Raises:
        OptionError: It holds another run or a table that no run wrote, or `unconfirmed` belongs to
            another run or holds other files.
        OutputError: It cannot be written.
    """
    is_resumed = (out / RUN).exists() and not overwrite
    if is_resumed:
        refuse_other_run(out, requested)
        requested = requested | {TO: _joined_targets(out, requested)}
    if unconfirmed:
        _claim_unconfirmed(unconfirmed, out)
    if is_resumed:
        content = read_run(out)
        current = followed(out, content) | {REQUESTED: requested}
        move = Move.of(out, content, Path(current.get(FOLDER, "")))
        if move and rename_sources(out / REPORT, move):
            current |= {PLACE: str(real_path(out))}
        if current != content:
            write_run(out, current | {"finished": False})
        return
    _remove_run(out, unconfirmed, requested)
    places = {FOLDER: str(Path.cwd()), PLACE: str(real_path(out))}
    write_run(out, {REQUESTED: requested, **places, CHECKED: time.time_ns()})


def _remove_run(out: Path, unconfirmed: Path | None, requested: dict[str, Any]) -> None:
    """Remove what earlier runs wrote to `out`, and to their folders of unconfirmed results."""
    earlier = requested_of(out)
    # A report without its run may be a copy, which names files of another folder.
    recorded = _recorded(out) if (out / RUN).exists() else set()
    table, is_first = out / TABLE, requested["--layout"] == "fer-csv" != earlier.get("--layout")
    if is_first and table.exists() and real_path(table) not in recorded:
        raise OptionError(f"{table} is there, and no run wrote it: move it away")
    folders = [out, unconfirmed] if unconfirmed else [out]
    try:
        former = unconfirmed_of(out)
        if former in folders or (former and read_owner(former) != real_path(out)):
            former = None
        if former:
            folders.append(former)
        # First, or a run that resumes after a kill would trust its rows.
        (out / REPORT).unlink(missing_ok=True)
        for folder in folders:
            for emotion in EMOTIONS:
                _remove_results(folder / emotion, recorded)
        if former:
            (former / OWNER).unlink()
        for path in out.iterdir():
            is_known = path.name in COPIES or TAR_NAME.fullmatch(path.name)
            if real_path(path) in recorded or (is_known and is_ours(path)):
                path.unlink()
        for name in (RUN, PAGE, NEXT_REPORT, NEXT_TABLE):
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(out, error) from None


def _recorded(out: Path) -> set[Path]:
    """Return the files that the report in `out` names, as far as it can be read."""
    files: set[Path] = set()
    try:
        for row in read(out / REPORT):
            if row.output:
                files.add(real_path(out / row.output.partition(":")[0]))
                files.add(real_path(out / row.output))
    except OptionError:
        pass  # the report of another version: files that carry our mark are found without it
    return files


def _remove_results(folder: Path, recorded: set[Path]) -> None:
    """Remove a run's results below a folder, and the folders that are empty then.

    Raises:
        OSError: One cannot be removed.
    """
    if not folder.is_dir():
        return
    for base, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(base, name)
            left_by_a_kill = name.startswith(".") and name.endswith(".partial")
            if left_by_a_kill or real_path(path) in recorded or is_ours(path):
                path.unlink()
        with suppress(OSError):
            Path(base).rmdir()


def _joined_targets(out: Path, requested: dict[str, Any]) -> list[str]:
    """Return the expressions of earlier calls and of this one."""
    earlier = read_run(out)[REQUESTED].get(TO, [])
    return [emotion for emotion in EMOTIONS if emotion in earlier or emotion in requested[TO]]


def _claim_unconfirmed(unconfirmed: Path, out: Path) -> None:
    """Claim `unconfirmed` for the run in `out`: results of another run may have the same names.

    Raises:
        OptionError: It belongs to another run, or holds other files.
        OutputError: It cannot be written.
    """
    refuse_other_owner(unconfirmed, out)
    marker = unconfirmed / OWNER
    try:
        if (owner := read_owner(unconfirmed)) == real_path(out):
            return
        if owner is not None:
            marker.unlink()
        unconfirmed.mkdir(parents=True, exist_ok=True)
        with marker.open("x", encoding="utf-8", errors="surrogateescape") as file:
            file.write(path_from(unconfirmed, out))
    except FileExistsError:
        raise other_owner(unconfirmed, out) from None  # another run was faster
    except OSError as error:
        raise unwritable(unconfirmed, error) from None
