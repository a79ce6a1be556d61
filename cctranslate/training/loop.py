"""One run: steps, ticks, checkpoints, resume, the clock; the same for every kind of recipe."""

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
from cctranslate.recipes.serialization import to_json
from cctranslate.recipes.spec import AnyRecipe
from cctranslate.training import checkpoint, run_folder

LOG = "log.jsonl"


class Trainer(Protocol):
    """What the loop needs of a kind of training."""

    @property
    def recipe(self) -> AnyRecipe:
        """The resolved recipe."""

    @property
    def steps(self) -> int:
        """How many steps the run has."""

    @property
    def steps_per_epoch(self) -> int:
        """How many of them are an epoch."""

    def step(self, step: int) -> dict[str, Tensor]:
        """Take a step; its randomness comes from torch's generator, which the loop has seeded."""

    def state(self) -> dict[str, Any]:
        """Everything needed to go on."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from there."""

    def sheet(self) -> Image.Image | None:
        """A picture of how far it has come."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a run writes and when it ends."""

    tick_steps: int = 100
    """A log line, a sheet and a checkpoint once in this many steps."""
    max_minutes: float | None = None


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """Where a run stopped."""

    step: int
    finished: bool


def run(
    trainer: Trainer,
    folder: Path,
    *,
    seed: int,
    limits: Limits,
    on_tick: Callable[[dict[str, Any]], None],
    resume: bool = False,
) -> RunResult:
    """Train to the end or to the last tick within the time limit.

    Every step seeds torch with (seed, step), so that a run resumed from its last tick repeats
    exactly what one that was never stopped would have done.

    Raises:
        CheckpointError: it cannot be read or written.
        DivergedError: a loss is no number any more; the last checkpoint is from before.
    """
    start = _restore(trainer, folder) if resume else 0
    deadline = time.monotonic() + 60 * limits.max_minutes if limits.max_minutes else None
    terms: dict[str, list[Tensor]] = {}
    since = time.monotonic()
    step = start
    while step < trainer.steps:
        torch.manual_seed(seed * 1_000_003 + step)
        for name, value in trainer.step(step).items():
            terms.setdefault(name, []).append(value)
        step += 1
        last = step == trainer.steps
        if step % limits.tick_steps == 0 or last:
            line = _line(trainer, step, terms, time.monotonic() - since)
            _refuse_nan(folder, line)
            _tick(trainer, folder, step, line)
            on_tick(line)
            now = time.monotonic()
            if deadline and now + (now - since) > deadline:
                break
            terms, since = {}, now
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
    """Each term's mean over the steps that had it: G may step less often than D."""
    means = {name: float(torch.stack(values).mean()) for name, values in terms.items()}
    return {
        "step": step,
        "epoch": round(step / trainer.steps_per_epoch, 4),
        **{name: round(value, 6) for name, value in means.items()},
        "seconds": round(seconds, 2),
    }


def _refuse_nan(folder: Path, line: dict[str, Any]) -> None:
    lost = [name for name, value in line.items() if not math.isfinite(value)]
    if lost:
        raise DivergedError(
            f"{folder}: the loss {lost[0]} is no number any more by step {line['step']}: start "
            "anew with a lower --lr or another --seed (the checkpoint before it is kept)"
        )


def _tick(trainer: Trainer, folder: Path, step: int, line: dict[str, Any]) -> None:
    """The checkpoint last: what a kill leaves beyond it is dropped and done again on resume."""
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
    picture = trainer.sheet()
    if picture is not None:
        (folder / "samples").mkdir(exist_ok=True)
        picture.save(folder / "samples" / f"{step:07d}.png")
    save(trainer, folder, step)


def _restore(trainer: Trainer, folder: Path) -> int:
    """Load the checkpoint and cut the log back to it; 0 if the run never reached a tick.

    Raises:
        CheckpointError: there is one, of other networks than the trainer's.
    """
    step = 0
    if (folder / checkpoint.FILE).exists():
        saved = checkpoint.load(folder, trainer.recipe)
        with checkpoint.fitting(folder):
            trainer.restore(saved["trainer"])
        step = saved["step"]
    log = folder / LOG
    if log.exists():
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        kept = [line for line in lines if _step_of(line) <= step]
        run_folder.write_text(log, "".join(f"{line}\n" for line in kept))
    return step


def _step_of(line: str) -> float:
    """The step of a log line; one that a kill cut short is past any step."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, TypeError, KeyError):
        return math.inf
