"""Types of option values with their shell completion, and callbacks that check values."""

from __future__ import annotations

import math
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from cctranslate.emotions import EMOTIONS, parse_emotions


class Number(click.FloatRange):
    """A finite number in a range. Click's range lets nan pass."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is no number", param, ctx)
        return number


class EmotionList(click.ParamType):  # type: ignore[type-arg]
    """Expressions by name or synonym, several by commas, or `all`."""

    name = "emotion"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the names in FER2013's order."""
        try:
            return parse_emotions((value,))
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete the word after the last comma. Words before it are not proposed again."""
        before, comma, begun = incomplete.rpartition(",")
        words = [w for w in (*EMOTIONS, "all") if w not in before.split(",")]
        return [CompletionItem(before + comma + w) for w in words if w.startswith(begun)]


class NumberList(click.ParamType):  # type: ignore[type-arg]
    """Finite numbers in a range, several by commas."""

    name = "numbers"

    def __init__(self, lowest: float, highest: float) -> None:
        self._number = Number(lowest, highest)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Return the numbers in their order."""
        parts = str(value).split(",")
        if not all(part.strip() for part in parts):
            self.fail(f"{value!r}: name numbers with a comma between them", param, ctx)
        return tuple(self._number.convert(part, param, ctx) for part in parts)


class FaceChoice(click.ParamType):  # type: ignore[type-arg]
    """`all`, `largest` or a face's number."""

    name = "all|largest|N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | int:
        """Return the word or the number."""
        word = str(value)
        if word in ("all", "largest"):
            return word
        if not re.fullmatch(r"[1-9][0-9]{0,5}", word):
            self.fail(f"{word!r}: name all, largest or a number from 1", param, ctx)
        return int(word)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete a word."""
        return [CompletionItem(w) for w in ("all", "largest") if w.startswith(incomplete)]


class Format(click.Choice[str]):
    """A picture format by name or suffix."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name; `jpg` is `jpeg`."""
        word = str(value).lower().removeprefix(".")
        return str(super().convert("jpeg" if word == "jpg" else word, param, ctx))


class Device(click.ParamType):  # type: ignore[type-arg]
    """`auto`, `cpu`, `cuda` or `cuda:N`."""

    name = "device"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the device unchanged if it can be one."""
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", value, re.ASCII):
            self.fail(f"{value!r} is no device: auto, cpu or cuda[:N]", param, ctx)
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete a device's name."""
        return [CompletionItem(w) for w in ("auto", "cpu", "cuda") if w.startswith(incomplete)]


def check_max_failures(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> str | None:
    """Return `N` or `P%` unchanged if it can be a limit."""
    if value is not None and not re.fullmatch(r"[0-9]+|[0-9]+(\.[0-9]+)?%", value):
        raise click.BadParameter(f"{value!r}: name a number or a percentage such as 2%")
    if value is not None and value.endswith("%") and float(value[:-1]) > 100:
        raise click.BadParameter(f"{value!r}: there are never more than 100%")
    return value


def only_one(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> str | None:
    """Return the value of an option. Click would take the last of several without a word."""
    if len(values) > 1:
        raise click.BadParameter("given more than once: join the lists, as by `cat A B | ... -T -`")
    return values[0] if values else None


def check_report_path(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> str | None:
    """Return `-`, or a path if its suffix is that of a report."""
    if value is not None and value != "-":
        check_report_suffix(value, alternative=", or -")
    return value


def check_report_suffix(path: str, alternative: str = "") -> None:
    """Check that a path's suffix is that of a report. Errors name the `alternative`, too.

    Raises:
        BadParameter: It is another, or pyarrow is missing for it.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".csv", ".jsonl", ".parquet"):
        raise click.BadParameter(f"{path!r}: name a .csv, .jsonl or .parquet file{alternative}")
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise click.BadParameter(f"{path!r} needs pyarrow: pip install 'cctranslate[parquet]'")


def parse_shard(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    """Return the number and the count in `I/N` or `slurm`; None for 1/1, which is all inputs."""
    from cctranslate.batch.inputs.job_array import parse

    if value is None:
        return None
    try:
        number, count = parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return (number, count) if count > 1 else None
