"""Types of option values, with their shell completion."""

from __future__ import annotations

import math
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from cctranslate.commands.path_params import LocalPath
from cctranslate.emotions import EMOTIONS, parse_emotions


class Number(click.FloatRange):
    """A finite number in a range: nan is neither below nor above one."""

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
        """Complete the word after the last comma, with none that stands before it."""
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
        """Return the word as it stands."""
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", value, re.ASCII):
            self.fail(f"{value!r} is no device: auto, cpu or cuda[:N]", param, ctx)
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete a device's name."""
        return [CompletionItem(w) for w in ("auto", "cpu", "cuda") if w.startswith(incomplete)]


def failures(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Return `N` or `P%` as it stands."""
    if value is not None and not re.fullmatch(r"[0-9]+|[0-9]+(\.[0-9]+)?%", value):
        raise click.BadParameter(f"{value!r}: name a number or a percentage such as 2%")
    if value is not None and value.endswith("%") and float(value[:-1]) > 100:
        raise click.BadParameter(f"{value!r}: there are never more than 100%")
    return value


def report_target(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> str | None:
    """Return a path whose suffix names a format of reports, or `-`."""
    suffix = "" if value in (None, "-") else Path(str(value)).suffix.lower() or "none"
    if suffix not in ("", ".csv", ".jsonl", ".parquet"):
        raise click.BadParameter(f"{value!r}: name a .csv, .jsonl or .parquet file, or -")
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise click.BadParameter(f"{value!r} needs pyarrow: pip install 'cctranslate[parquet]'")
    return value


def shard(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    """Return `I/N` or `slurm` as two numbers; None for 1/1, which is everything."""
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
    type=Device(),
    help="auto, cpu or cuda[:N]; it is an error if cuda cannot be used.",
)
engine_option = click.option(
    "--engine",
    type=click.Choice(("auto", "onnxruntime", "openvino")),
    default="auto",
    show_default=True,
    help="What runs the models. auto: OpenVINO if it is installed, on processors with AMX or with "
    "--precision bf16; else onnxruntime.",
)
precision_option = click.option(
    "--precision",
    type=click.Choice(("f32", "bf16")),
    default="f32",
    show_default=True,
    help="bf16: quicker, on processors that compute it, with OpenVINO; results differ by some "
    "gray levels.",
)
worker_options = (
    click.option(
        "--batch-size",
        type=click.IntRange(min=1),
        metavar="N",
        help="Faces in one run of the models, up to what is useful.  [default: by device]",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1, 256),
        metavar="N",
        help="Number of workers; on a CPU processes, each on a core.  [default: by cores]",
    ),
    click.option(
        "--processes/--threads",
        default=None,
        help="Work in processes, which on a CPU have models of their own, or in threads.  "
        "[default: threads, in longer runs processes]",
    ),
)
runner_option = click.option(
    "--runner",
    type=click.Choice(("local", "ray")),
    default="local",
    show_default=True,
    help="Where inputs are translated: on this machine, or on a Ray cluster whose nodes share "
    "the inputs and OUT.",
)
shard_option = click.option(
    "--shard",
    metavar="I/N",
    callback=shard,
    help="Process only the I-th of N shards of the inputs, each into a different OUT; `slurm` "
    "takes both from the job array. `cctranslate report merge` joins the reports.",
)
verbosity_options = (
    click.option("--no-progress", is_flag=True, help="Show no progress bar."),
    click.option("-q", "--quiet", is_flag=True, help="Print only errors."),
    click.option(
        "-v",
        "--verbose",
        is_flag=True,
        help="Name each input that fails or is skipped, as it happens.",
    ),
)
limit_option = click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Process at most N inputs."
)
sheet_options = (
    click.option(
        "--sheet",
        type=LocalPath(path_type=Path, dir_okay=False),
        help="Where to write the contact sheet.  [default: OUT-sheet.png, beside OUT]",
    ),
    click.option("--no-sheet", is_flag=True, help="Write no contact sheet."),
)
