"""Handle signals that end a run: the first lets work in flight finish, the second does not."""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TypeVar

from cctranslate.process.signals import handled_signals

A = TypeVar("A")


@dataclass(kw_only=True)
class InterruptHandler:
    """Stops a run at a signal; `echo` prints a line for the user."""

    echo: Callable[[str], None]
    in_flight: str = "finishing what is in flight"
    """What happens to work in flight, for the message."""
    _signals: int = field(default=0, init=False)
    _waiting: bool = field(default=False, init=False)

    @property
    def requested(self) -> bool:
        """Whether a signal came."""
        return self._signals > 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle signals in the block; the second one raises KeyboardInterrupt."""
        previous = {number: signal.signal(number, self._handle) for number in handled_signals()}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def until(self, values: Iterable[A]) -> Iterator[A]:
        """Yield values until a signal comes, also while waiting for the next one."""
        stream = iter(values)
        while True:
            try:
                self._waiting = True
                if self.requested:  # a signal raises only while this waits
                    self._waiting = False
                    return
                value = next(stream)
                self._waiting = False
            except StopIteration:
                self._waiting = False
                return
            except KeyboardInterrupt:
                self._waiting = False
                if self._signals > 1:
                    raise
                return
            yield value

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals == 1:
            self.echo(f"stopping: {self.in_flight}")
        # Python resumes a read after a signal, and a pipe may never send another byte.
        if self._signals > 1 or self._waiting:
            raise KeyboardInterrupt
