"""The signals that end a command in order: Ctrl-C, SIGTERM and a closed terminal."""

import signal
import sys

ENDING_SIGNALS = (
    signal.SIGINT,
    signal.SIGTERM,
    *([signal.SIGHUP] if sys.platform != "win32" else []),
)
"""SIGHUP comes when the command's terminal is closed."""
received: list[int] = []
"""The ending signals that the command's handler was called for.

The KeyboardInterrupt that it raises is lost where Python runs a callback, such as a finalizer: it
prints `Exception ignored` and goes on. Long loops of a training therefore look here, too.
"""


def raise_if_received() -> None:
    """Raise the KeyboardInterrupt of an ending signal, in case that of its handler was lost."""
    if received:
        raise KeyboardInterrupt


def handled_signals() -> list[signal.Signals]:
    """Return the ending signals without those that `nohup` or `&` made the command ignore."""
    return [number for number in ENDING_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
