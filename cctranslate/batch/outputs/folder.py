"""The output folder: its `run.json`, and checks that it belongs to this run."""

import json
import os
from pathlib import Path
from typing import Any

from cctranslate.batch.outputs.ownership import is_ours
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import OptionError
from cctranslate.files.paths import can_exist, real_path
from cctranslate.files.writing import unwritable, write_text

REPORT, RUN, PAGE = "report.csv", "run.json", "report.html"
OWNER = ".run-of"
"""Hidden in `--unconfirmed-to`: the path from there to the OUT of the run that writes there."""
UNCONFIRMED = "--unconfirmed-to"
"""The option that names a folder for unconfirmed results: in `run.json`, its path from OUT."""
REQUESTED = "asked"
"""In `run.json`: the options that all calls of a run share, by `manifest.identity`."""
FOLDER = "folder"
"""In `run.json`: the folder that the report's relative paths of inputs start from."""
PLACE = "place"
"""In `run.json`: the real path of OUT when the report got the paths that it has."""
ALL_SHARDS = "inputs_of_all_shards"
"""In `run.json` of a shard: how many inputs all shards have, and a digest of their names."""
CHECKED = "inputs_checked_ns"
"""In `run.json`: since when each input that has rows has been looked at again."""
TO = "--to"
"""The option that may grow from call to call."""
NEXT_REPORT, NEXT_TABLE = ".next-report.csv", ".next-fer2013.csv"
"""Hidden while `--layout fer-csv` replaces both together."""
COPIES = "report.jsonl", "report.parquet"
"""Copies of the report that `--report` may write into OUT."""


def refuse_foreign_files(out: Path, unconfirmed: Path | None, overwrite: bool) -> None:
    """Check that `out` and its folder of unconfirmed results hold only results of a run.

    Raises:
        OptionError: There are files that are not from the run, or it lost its `run.json`.
    """
    if unconfirmed:
        refuse_other_owner(unconfirmed, out)
    if (out / RUN).exists() or not _holds_anything(out):
        return
    report = out / REPORT
    if not (report.is_file() and report.stat().st_size and is_ours(report)):
        raise OptionError(f"{out} holds files that are not from a run of batch: name another --out")
    if not overwrite:
        raise OptionError(
            f"{out} holds a run without its {RUN}, which has the options: name another --out, or "
            "start anew with --overwrite"
        )


def refuse_other_run(out: Path, requested: dict[str, Any]) -> None:
    """Check that the run in `out`, if there is one, has the same options.

    Raises:
        OptionError: It has others, or `run.json` is damaged.
    """
    if not (out / RUN).exists():
        return
    earlier = read_run(out)[REQUESTED]
    differing = [n for n, value in requested.items() if n != TO and earlier.get(n) != value]
    if differing:
        raise OptionError(
            f"{out} holds a run with another {differing[0]}: name another --out, or start anew "
            "with --overwrite"
        )


def read_run(out: Path) -> dict[str, Any]:
    """Return the content of `run.json`.

    Raises:
        OptionError: No run left it.
    """
    path = out / RUN
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        content = None
    if not _is_run(content):
        raise OptionError(
            f"{path}: not what a run left: name another --out, or start anew with --overwrite"
        )
    folder = content[REQUESTED].get(UNCONFIRMED)
    if isinstance(folder, str) and Path(folder).is_absolute():  # as earlier versions wrote it
        content[REQUESTED][UNCONFIRMED] = path_from(Path(content.get(PLACE) or out), Path(folder))
    return dict(content)


def path_from(folder: Path, path: Path) -> str:
    """Return the path that leads from a folder to another one, with `/` on all systems."""
    return Path(os.path.relpath(real_path(path), real_path(folder))).as_posix()


def _is_run(content: Any) -> bool:
    """Return whether the fields that a later call reads are there and have the right types."""
    if not isinstance(content, dict):
        return False
    if not isinstance(content.get(CHECKED), int | None):
        return False
    requested = content.get(REQUESTED)
    if not isinstance(requested, dict):
        return False
    folder = requested.get(UNCONFIRMED) or "."
    for path in (content.get(FOLDER, "."), content.get(PLACE, "."), folder):
        if not (isinstance(path, str) and path and can_exist(Path(path))):
            return False
    targets = requested.get(TO, [])
    return isinstance(targets, list) and all(target in EMOTIONS for target in targets)


def write_run(out: Path, content: dict[str, Any]) -> None:
    """Write `run.json`, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    write_text(out / RUN, json.dumps(content, indent=2) + "\n")


def _holds_anything(out: Path) -> bool:
    return out.is_dir() and any(not path.name.startswith(".") for path in out.iterdir())


def refuse_other_owner(unconfirmed: Path, out: Path) -> None:
    """Check that a folder of unconfirmed results holds only those of the run in `out`.

    Raises:
        OptionError: It belongs to another run, or holds other files.
        OutputError: It cannot be read.
    """
    try:
        owner = read_owner(unconfirmed)
        is_others = owner is not None and owner != real_path(out) and (owner / RUN).exists()
        if is_others or (_holds_anything(unconfirmed) and unconfirmed_of(out) != unconfirmed):
            raise other_owner(unconfirmed, out)
    except OSError as error:
        raise unwritable(unconfirmed, error) from None


def other_owner(unconfirmed: Path, out: Path) -> OptionError:
    """Return the error for a folder of unconfirmed results that belongs to another run."""
    return OptionError(
        f"{unconfirmed} holds files that are not from the run in {out}: name another "
        "--unconfirmed-to"
    )


def read_owner(unconfirmed: Path) -> Path | None:
    """Return the OUT of the run that owns a folder of unconfirmed results; None if no run does.

    Raises:
        OSError: It cannot be read.
    """
    try:
        text = (unconfirmed / OWNER).read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return None
    return Path(os.path.normpath(real_path(unconfirmed) / text))


def unconfirmed_of(out: Path) -> Path | None:
    """Return the folder for unconfirmed results of the run in `out`; None if it has none."""
    earlier = requested_of(out).get(UNCONFIRMED)
    return Path(os.path.normpath(real_path(out) / str(earlier))) if earlier else None


def requested_of(out: Path) -> dict[str, Any]:
    """Return the options of the run in `out`; none if no run left a `run.json`."""
    try:
        return dict(read_run(out)[REQUESTED])
    except OptionError:
        return {}
