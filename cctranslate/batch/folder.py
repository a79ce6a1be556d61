"""The output folder: whose it is, and its `run.json`, which says what was asked and came out."""

import json
import shutil
from pathlib import Path
from typing import Any

from cctranslate.batch.writer import OutputError
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import UserError

REPORT, RUN, PAGE = "report.csv", "run.json", "report.html"


class OptionError(UserError):
    """Options that cannot go together, or not with the run that is in OUT."""


def refuse_strangers(out: Path) -> None:
    """See that nothing but a run's results lies in `out`.

    Raises:
        OptionError: it holds files that are not from a run.
    """
    if not (out / RUN).exists() and _holds_anything(out):
        raise OptionError(f"{out} holds files that are not from a run of batch: name another --out")


def claim(out: Path, asked: dict[str, Any], overwrite: bool) -> None:
    """Make the folder `out` that of the run that `asked` describes, or see that it is already.

    Raises:
        OptionError: it holds another run.
        OutputError: it cannot be written.
    """
    if (out / RUN).exists() and not overwrite:
        _compare(out, asked)
        return
    try:
        for emotion in EMOTIONS:
            if (out / emotion).exists():
                shutil.rmtree(out / emotion)
        for name in (REPORT, RUN, PAGE):
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror}") from None
    write_run(out, {"asked": asked})


def write_run(out: Path, content: dict[str, Any]) -> None:
    """Write `run.json`, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    partial = out / f".{RUN}.partial"
    try:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        partial.replace(out / RUN)
    except OSError as error:
        raise OutputError(f"{out / RUN}: cannot be written: {error.strerror}") from None


def _holds_anything(out: Path) -> bool:
    return out.is_dir() and any(not path.name.startswith(".") for path in out.iterdir())


def _compare(out: Path, asked: dict[str, Any]) -> None:
    try:
        known = json.loads((out / RUN).read_text(encoding="utf-8"))["asked"]
        differing = [name for name, value in asked.items() if known.get(name) != value]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise OptionError(
            f"{out / RUN}: not what a run left: name another --out, or start anew with --overwrite"
        ) from None
    if differing:
        raise OptionError(
            f"{out} holds a run with another {differing[0]}: name another --out, or start anew "
            "with --overwrite"
        )
