"""The progress of trainings on the terminal."""

import sys
from typing import Any


class Progress:
    """A bar for each training, with the last tick's losses; nothing where stderr is no terminal."""

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
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.close()
