"""The output folder: which run it belongs to, and the `run.json` of that run."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from cctranslate.batch.outputs.layout import SHARD
from cctranslate.batch.outputs.ownership import is_ours
from cctranslate.batch.report.formats import read
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import OptionError
from cctranslate.files import real_path, unwritable, write_text

REPORT, RUN, PAGE = "report.csv", "run.json", "report.html"
OWNER = ".run-of"
"""Hidden in `--unconfirmed-to`: the OUT of the run that writes there."""
FOLDER = "folder"
"""In `run.json`: the folder that the report's relative paths of inputs start from."""
TO = "--to"
"""The option that may grow from call to call."""
NEXT_REPORT, NEXT_TABLE = ".next-report.csv", ".next-fer2013.csv"
"""Hidden while `--layout fer-csv` replaces both together."""
COPIES = "report.jsonl", "report.parquet"
"""Copies of the report that `--report` may write into OUT."""


def refuse_strangers(out: Path) -> None:
    """See that nothing but a run's results lies in `out`.

    Raises:
        OptionError: it holds files that are not from a run.
    """
    if not (out / RUN).exists() and _holds_anything(out):
        raise OptionError(f"{out} holds files that are not from a run of batch: name another --out")


def refuse_other_run(out: Path, requested: dict[str, Any]) -> None:
    """See that the run in `out`, if there is one, has the same options.

    Raises:
        OptionError: it has others, or `run.json` is damaged.
    """
    if (out / RUN).exists():
        _compare(out, requested)


def claim(out: Path, unconfirmed: Path | None, requested: dict[str, Any], overwrite: bool) -> None:
    """Make the folder `out` that of the run that `requested` describes, or see that it is already.

    `unconfirmed`, the folder of unconfirmed results, is claimed with it.

    Raises:
        OptionError: it holds another run, or `unconfirmed` belongs to another or holds other files.
        OutputError: it cannot be written.
    """
    begun = (out / RUN).exists() and not overwrite
    if begun:
        _compare(out, requested)
        requested = requested | {TO: _joined_targets(out, requested)}
    if unconfirmed:
        _take(unconfirmed, out)
    if begun:
        content = read_run(out)
        if content["asked"] != requested:
            write_run(out, content | {"asked": requested, "finished": False})
        return
    try:
        recorded = _recorded(out)
        # First, or a run that resumes after a kill would trust its rows.
        (out / REPORT).unlink(missing_ok=True)
        for folder in (out, unconfirmed) if unconfirmed else (out,):
            for emotion in EMOTIONS:
                _remove_results(folder / emotion, recorded)
        for path in out.iterdir():
            is_tar = bool(SHARD.fullmatch(path.name))
            if real_path(path) in recorded or (is_tar and is_ours(path)):
                path.unlink()
        for name in (RUN, PAGE, NEXT_REPORT, NEXT_TABLE, *COPIES):
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(out, error) from None
    write_run(out, {"asked": requested, FOLDER: str(Path.cwd())})


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
        OSError: one cannot be removed.
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


def read_run(out: Path) -> dict[str, Any]:
    """Return what `run.json` says.

    Raises:
        OptionError: no run left it.
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
    return dict(content)


def _is_run(content: Any) -> bool:
    """Return whether all that a later call works with is there, and of its kind."""
    if not isinstance(content, dict) or not isinstance(content.get(FOLDER, ""), str):
        return False
    requested = content.get("asked")
    if not isinstance(requested, dict):
        return False
    targets = requested.get(TO, [])
    return isinstance(targets, list) and all(target in EMOTIONS for target in targets)


def _joined_targets(out: Path, requested: dict[str, Any]) -> list[str]:
    """Return the expressions of earlier calls and of this one."""
    earlier = read_run(out)["asked"].get(TO, [])
    return [emotion for emotion in EMOTIONS if emotion in earlier or emotion in requested[TO]]


def write_run(out: Path, content: dict[str, Any]) -> None:
    """Write `run.json`, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    write_text(out / RUN, json.dumps(content, indent=2) + "\n")


def _holds_anything(out: Path) -> bool:
    return out.is_dir() and any(not path.name.startswith(".") for path in out.iterdir())


def _take(unconfirmed: Path, out: Path) -> None:
    """Reserve `unconfirmed` for the run in `out`: results of another run may have the same names.

    Raises:
        OptionError: it belongs to another run.
        OutputError: it cannot be written.
    """
    marker, name = unconfirmed / OWNER, str(real_path(out))
    refusal = OptionError(
        f"{unconfirmed} holds files that are not from the run in {out}: "
        "name another --unconfirmed-to"
    )
    try:
        owner = _owner(marker)
        others = owner not in (None, name) and (Path(str(owner)) / RUN).exists()
        if others or (
            _holds_anything(unconfirmed) and _unconfirmed_folder_of(out) != str(unconfirmed)
        ):
            raise refusal
        if owner == name:
            return
        if owner is not None:
            marker.unlink()
        unconfirmed.mkdir(parents=True, exist_ok=True)
        with marker.open("x", encoding="utf-8", errors="surrogateescape") as file:
            file.write(name)
    except FileExistsError:
        raise refusal from None  # another run was faster
    except OSError as error:
        raise unwritable(unconfirmed, error) from None


def _owner(marker: Path) -> str | None:
    try:
        return marker.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return None


def _unconfirmed_folder_of(out: Path) -> str | None:
    """Return the `--unconfirmed-to` of the run in `out`, if there is one."""
    try:
        content = json.loads((out / RUN).read_text(encoding="utf-8"))
        return str(content["asked"]["--unconfirmed-to"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def _compare(out: Path, requested: dict[str, Any]) -> None:
    earlier = read_run(out)["asked"]
    differing = [n for n, value in requested.items() if n != TO and earlier.get(n) != value]
    if differing:
        raise OptionError(
            f"{out} holds a run with another {differing[0]}: name another --out, or start anew "
            "with --overwrite"
        )
