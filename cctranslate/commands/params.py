"""What options of several commands, or of many words, take for a value."""

from __future__ import annotations

import math
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click


class Number(click.FloatRange):
    """A finite number in a range, which nan is not, though it is neither below nor above."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number; Click's message for what is none."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is no number", param, ctx)
        return number


def _device(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", value):
        raise click.BadParameter(f"{value!r} is no device: auto, cpu or cuda[:N]")
    return value


def failures(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """`N` or `P%` as it stands."""
    if value is not None and not re.fullmatch(r"[0-9]+|[0-9]+(\.[0-9]+)?%", value):
        raise click.BadParameter(f"{value!r}: name a number or a share such as 2%")
    return value


def report_place(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> str | None:
    """A path whose suffix says which form, or `-`."""
    suffix = "" if value in (None, "-") else Path(str(value)).suffix or "none"
    if suffix not in ("", ".csv", ".jsonl", ".parquet"):
        raise click.BadParameter(f"{value!r}: name a .csv, .jsonl or .parquet file, or -")
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise click.BadParameter(f"{value!r} needs pyarrow: pip install 'cctranslate[parquet]'")
    return value


def report_file(context: click.Context, parameter: click.Parameter, value: Path) -> Path:
    """A file whose suffix says which form, in a folder that is there."""
    report_place(context, parameter, str(value))
    if not value.parent.is_dir():
        raise click.BadParameter(f"there is no folder {value.parent}: make it")
    return value


def share(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    """`I/N` or `slurm` as numbers; 1/1 is no share."""
    from cctranslate.batch.inputs.job_array import parse

    if value is None:
        return None
    try:
        number, count = parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return (number, count) if count > 1 else None


device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    callback=_device,
    help="auto, cpu or cuda[:N]; cuda that cannot be had is an error.",
)
