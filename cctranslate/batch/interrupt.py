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
    """Whether somebody asked a run to stop; `echo` says a line to them."""

    echo: Callable[[str], None]
    _asked: int = field(default=0, init=False)
    _waiting: bool = field(default=False, init=False)

    @property
    def asked(self) -> bool:
        """Whether a signal came."""
        return self._asked > 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take signals; the second one raises KeyboardInterrupt."""
        kept = {s: signal.signal(s, self._hear) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)

    def until(self, things: Iterable[A]) -> Iterator[A]:
        """`things` until a signal comes, also while the next one is waited for."""
        stream = iter(things)
        while not self.asked:
            try:
                self._waiting = True
                thing = next(stream)
                self._waiting = False
            except StopIteration:
                self._waiting = False
                return
            except KeyboardInterrupt:
                self._waiting = False
                if self._asked > 1:
                    raise
                return
            yield thing

    def _hear(self, signum: int, frame: FrameType | None) -> None:
        self._asked += 1
        if self._asked == 1:
            self.echo("stopping: finishing what is in flight")
        # Python goes on reading after a signal, and what sends a list may never send another byte.
        if self._asked > 1 or self._waiting:
            raise KeyboardInterrupt
