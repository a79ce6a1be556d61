"""The training loop for every kind of recipe: steps, ticks, checkpoints, resume, time limit."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image
from torch import Tensor

from cctranslate.errors import DivergedError
from cctranslate.files.writing import write_text
from cctranslate.process import signals
from cctranslate.recipes.kinds import AnyRecipe
from cctranslate.recipes.serialization import to_json
from cctranslate.training import checkpoint
from cctranslate.training.data.fer2013 import Splits
from cctranslate.training.data.ferplus import Votes
from cctranslate.training.losses.terms import Terms

LOG = "log.jsonl"


class Trainer(Protocol):
    """The interface of trainers: each kind of recipe has one."""

    @property
    def recipe(self) -> AnyRecipe:
        """The resolved recipe."""

    @property
    def steps(self) -> int:
        """Steps of the whole run."""

    @property
    def steps_per_epoch(self) -> int:
        """Steps of one pass over the faces."""

    def step(self, step: int) -> Terms:
        """Take a step and return its losses. All randomness comes from torch's seeded generator."""

    def state(self) -> dict[str, Any]:
        """Return everything needed to resume."""

    def restore(self, state: dict[str, Any]) -> None:
        """Load a state that `state` returned."""

    def conclude(
        self, splits: Splits, votes: Votes | None, is_over: Callable[[], bool]
    ) -> dict[str, Any] | None:
        """Finish after the last step, and return figures for `measured.json`, if there are any.

        Raises:
            OutOfTimeError: It takes long, and `is_over` says that the time is up.
        """

    def sheet(self) -> Image.Image | None:
        """Draw current results, if there are any to show."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How often a run writes, and when it ends.

    A tick writes a log line, a sheet and a checkpoint. It comes when `tick_steps` steps and
    `tick_seconds` seconds have passed since the last one: otherwise a device with 170 steps a
    second would spend most of the time on writing. It comes after `most_seconds` in any case, which
    bounds what a kill loses where steps take many seconds.
    """

    tick_steps: int = 100
    tick_seconds: float = 30.0
    most_seconds: float = 300.0
    max_minutes: float | None = None
    """End at a tick before this time is over."""


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """Where a run stopped."""

    step: int
    finished: bool


class _Clock:
    """Decides when a tick is due, and when the time is up."""

    def __init__(self, limits: Limits, step: int) -> None:
        self._limits, self._step, self._since = limits, step, time.monotonic()
        minutes = limits.max_minutes
        self._deadline = math.inf if minutes is None else self._since + 60 * minutes
        self._cost = 0.0  # seconds that the last tick itself took

    def is_due(self, step: int) -> bool:
        """Return whether a tick is due after `step` steps."""
        enough_steps = step - self._step >= self._limits.tick_steps
        least = self._limits.tick_seconds if enough_steps else self._limits.most_seconds
        return self.is_over() or self.seconds() >= least

    def is_over(self) -> bool:
        """Return whether the time is up, except for a last tick."""
        return time.monotonic() + self._cost >= self._deadline

    def seconds(self) -> float:
        """Return the seconds since the last tick."""
        return time.monotonic() - self._since

    def restart(self, step: int, tick_started: float) -> None:
        """Count from now: the tick that began at `tick_started` is finished."""
        self._step, self._since = step, time.monotonic()
        self._cost = self._since - tick_started


def run(
    trainer: Trainer,
    folder: Path,
    *,
    seed: int,
    limits: Limits,
    on_start: Callable[[str, int, int], None],
    on_tick: Callable[[dict[str, Any]], None],
    resume: bool = False,
) -> RunResult:
    """Train to the end or to the last tick within the time limit.

    Every step seeds torch with (seed, step). So a run that is resumed from its last tick has the
    same losses as one that was never stopped.

    Raises:
        CheckpointError: It cannot be read or written.
        DivergedError: A loss or a weight is no longer finite; the last checkpoint is from before.
        KeyboardInterrupt: A signal came that ends the command.
    """
    step = _restore(trainer, folder) if resume else 0
    on_start(trainer.recipe.name, step, trainer.steps)
    clock = _Clock(limits, step)
    terms: dict[str, list[Tensor]] = {}
    while step < trainer.steps:
        signals.raise_if_received()
        torch.manual_seed(seed * 1_000_003 + step)
        for name, value in trainer.step(step).items():
            terms.setdefault(name, []).append(value)
        step += 1
        if step < trainer.steps and not clock.is_due(step):
            continue
        tick_started = time.monotonic()
        line = _line(trainer, step, terms, clock.seconds())
        _refuse_nan(folder, line, trainer)
        _tick(trainer, folder, step, line)
        on_tick(line)
        if clock.is_over():
            break
        clock.restart(step, tick_started)
        terms = {}
    return RunResult(step=step, finished=step == trainer.steps)


def save(trainer: Trainer, folder: Path, step: int) -> None:
    """Write the trainer's checkpoint after `step` steps."""
    state = {
        "recipe": to_json(trainer.recipe),
        "step": step,
        "steps": trainer.steps,
        "trainer": trainer.state(),
    }
    checkpoint.save(folder, state)


def _line(
    trainer: Trainer, step: int, terms: dict[str, list[Tensor]], seconds: float
) -> dict[str, Any]:
    """Return a log line: the mean of each term over the steps that computed it."""
    means = {name: float(torch.stack(values).mean()) for name, values in terms.items()}
    return {
        "step": step,
        "epoch": round(step / trainer.steps_per_epoch, 4),
        **{name: round(value, 6) for name, value in means.items()},
        "seconds": round(seconds, 2),
    }


def _refuse_nan(folder: Path, line: dict[str, Any], trainer: Trainer) -> None:
    lost = [f"the loss {name}" for name, value in line.items() if not math.isfinite(value)]
    if not lost and not checkpoint.is_finite(trainer.state()):
        lost = ["a weight"]  # the step's losses were computed before it changed the weights
    if lost:
        raise DivergedError(
            f"{folder}: {lost[0]} is no longer finite by step {line['step']}: start anew with a "
            "lower --lr or another --seed (the last checkpoint is from before)"
        )


def _tick(trainer: Trainer, folder: Path, step: int, line: dict[str, Any]) -> None:
    """Write a log line, a sheet and the checkpoint.

    The checkpoint comes last: log lines beyond it are dropped on resume.
    """
    picture = trainer.sheet()
    try:
        with (folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        if picture is not None:
            (folder / "samples").mkdir(exist_ok=True)
            picture.save(folder / "samples" / f"{step:07d}.png")
    except OSError as error:
        raise checkpoint.unwritable(folder, error) from None
    save(trainer, folder, step)


def _restore(trainer: Trainer, folder: Path) -> int:
    """Load the checkpoint, truncate the log to it, and return its step; 0 if there is none.

    Raises:
        CheckpointError: The checkpoint is of other networks.
    """
    step = 0
    if (folder / checkpoint.FILE).exists():
        saved = checkpoint.load(folder, trainer.recipe)
        with checkpoint.explain_mismatch(folder):
            trainer.restore(saved["trainer"])
        step = saved["step"]
    log = folder / LOG
    if log.exists():
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        kept_lines = [line for line in lines if _step_of(line) <= step]
        write_text(log, "".join(f"{line}\n" for line in kept_lines))
    return step


def _step_of(line: str) -> float:
    """Return the step of a log line; infinity for a line that a kill cut short."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, TypeError, KeyError):
        return math.inf
