"""Progress of `fit` and `batch`: a bar on a terminal, else a line from time to time."""

import sys
import time
from typing import Any


class Progress:
    """A bar for each training, with the last tick's losses. Only terminals show it."""

    def __init__(self, quiet: bool) -> None:
        self._bar: Any = None
        self._quiet = quiet

    def start(self, name: str, step: int, steps: int) -> None:
        """Open the bar of a training that has `steps` steps, `step` of them done."""
        from tqdm import tqdm

        self.close()
        self._bar = tqdm(
            total=steps,
            initial=step,
            desc=name,
            unit="step",
            disable=True if self._quiet else None,
            file=sys.stderr,
        )

    def tick(self, line: dict[str, Any]) -> None:
        """Move the bar to a log line's step."""
        shown = {k: v for k, v in line.items() if k not in ("step", "epoch", "seconds")}
        self._bar.set_postfix({k: f"{v:.3f}" for k, v in shown.items()}, refresh=False)
        self._bar.update(line["step"] - self._bar.n)

    def close(self) -> None:
        """Stop updating the bar; what it shows stays on the screen."""
        if self._bar is not None:
            self._bar.close()


class BatchProgress:
    """Counts finished inputs, in a bar on a terminal, else in a line from time to time."""

    def __init__(self, total: int | None, *, hidden: bool, every: float = 30) -> None:
        """Prepare the bar, which `start` shows.

        Args:
            total: Number of inputs; None if it is unknown.
            hidden: Whether to show nothing.
            every: Seconds from line to line.
        """
        self._total, self._hidden, self._every = total, hidden, every
        self._bar: Any = None
        self._done = self._began_with = 0
        self._started = self._last = time.monotonic()

    def start(self, done: int) -> None:
        """Show the bar, with the number of inputs that earlier calls finished."""
        from tqdm import tqdm

        self._done = self._began_with = done
        self._started = self._last = time.monotonic()
        if not self._hidden and sys.stderr is not None and sys.stderr.isatty():
            self._bar = tqdm(
                desc="faces", unit=" inputs", total=self._total, initial=done, file=sys.stderr
            )

    def step(self, count: int = 1) -> None:
        """Count further inputs as done."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
        elif not self._hidden and time.monotonic() - self._last >= self._every:
            self._last = time.monotonic()
            print(self.line(), file=sys.stderr, flush=True)

    def line(self) -> str:
        """Return the line for logs: what is done, and the minutes that are left."""
        if not self._total:
            return f"{self._done:,} done"
        new = self._done - self._began_with
        seconds = (time.monotonic() - self._started) / max(new, 1)
        minutes = max(self._total - self._done, 0) * seconds / 60
        fraction = min(self._done / self._total, 1)
        return f"{self._done:,} of {self._total:,} inputs ({fraction:.0%}), {minutes:.0f} min left"

    def close(self) -> None:
        """Stop updating the bar; what it shows stays on the screen."""
        if self._bar is not None:
            self._bar.close()
