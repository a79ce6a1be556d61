"""SIGINT and SIGTERM: the first lets what is in flight finish, a second one does not."""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TypeVar

A = TypeVar("A")


@dataclass(kw_only=True)
class InterruptHandler:
    """Stops a run at a signal; `echo` prints a line for whoever sent it."""

    echo: Callable[[str], None]
    in_flight: str = "finishing what is in flight"
    """What becomes of what is in flight."""
    _signals: int = field(default=0, init=False)
    _waiting: bool = field(default=False, init=False)

    @property
    def requested(self) -> bool:
        """Whether a signal came."""
        return self._signals > 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle signals in the block; the second one raises KeyboardInterrupt."""
        previous = {s: signal.signal(s, self._handle) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def until(self, things: Iterable[A]) -> Iterator[A]:
        """Return `things` until a signal comes, also while waiting for the next of them."""
        stream = iter(things)
        while True:
            try:
                self._waiting = True
                if self.requested:  # a signal that came while nothing waited raised nothing
                    self._waiting = False
                    return
                thing = next(stream)
                self._waiting = False
            except StopIteration:
                self._waiting = False
                return
            except KeyboardInterrupt:
                self._waiting = False
                if self._signals > 1:
                    raise
                return
            yield thing

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals == 1:
            self.echo(f"stopping: {self.in_flight}")
        # Python goes on reading after a signal, and what sends a list may never send another byte.
        if self._signals > 1 or self._waiting:
            raise KeyboardInterrupt
