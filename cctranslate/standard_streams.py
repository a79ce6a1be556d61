"""Standard streams that are closed, full or abandoned: errors name them, and runs outlive stderr.

Python sets the stream of a closed descriptor to None, and the next file that is opened takes the
descriptor's number: what a C library prints would go into that file.
"""

import errno
import io
import os
import re
import signal
import sys
from typing import TextIO

from cctranslate.errors import InputError, OptionError, OutputError

OUTPUT_NAME = "standard output"
"""The file name of errors in writing it."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else []))
"""Those that end a command in order. SIGHUP comes when its terminal is closed."""
_STDIN, _STDOUT, _STDERR = range(3)
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that break a line or its order, command a terminal, or are no text."""


class _NamedOutput(io.FileIO):
    """Standard output whose errors name it."""

    def write(self, content: "io.Buffer") -> int:  # type: ignore[name-defined]
        try:
            return super().write(content)
        except BrokenPipeError:
            raise
        except OSError as error:
            why = "closed" if error.errno == errno.EBADF else error.strerror
            raise OSError(error.errno, why, OUTPUT_NAME) from None


class _OptionalOutput(io.FileIO):
    """Standard error: messages that nobody can read are dropped, and the run goes on."""

    def write(self, content: "io.Buffer") -> int:  # type: ignore[name-defined]
        try:
            return super().write(content)
        except OSError:
            return memoryview(content).nbytes


def prepare() -> None:
    """Open closed descriptors, and wrap standard output and error for their errors.

    A closed stdin or stdout is opened the wrong way round, so that using it still fails.
    """
    _open_if_closed(_STDIN, os.O_WRONLY)
    _open_if_closed(_STDOUT, os.O_RDONLY)
    _open_if_closed(_STDERR, os.O_WRONLY)
    if sys.stdin is None:
        sys.stdin = open(_STDIN, closefd=False)  # noqa: SIM115
    sys.stdout = _wrapped(sys.stdout, _NamedOutput(_STDOUT, "w", closefd=False))
    sys.stderr = _wrapped(sys.stderr, _OptionalOutput(_STDERR, "w", closefd=False))


def heard_signals() -> list[signal.Signals]:
    """Return the signals that end this command: not those that `nohup` or `&` has it ignore."""
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def discard_output() -> None:
    """Send what the interpreter still flushes at exit to the null device."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), _STDOUT)


def require_input(option: str) -> None:
    """Make sure that standard input, which `option` names, can be read.

    Raises:
        InputError: it is closed.
    """
    try:
        os.read(_STDIN, 0)
    except OSError:
        raise InputError(f"{option}: standard input is closed: redirect it") from None


def require_output(option: str) -> None:
    """Make sure that standard output, which `option` names, can be written.

    Raises:
        OptionError: it is closed.
        OutputError: it takes nothing.
    """
    try:
        os.write(_STDOUT, b"")
    except OSError as error:
        if error.errno == errno.EBADF:
            raise OptionError(f"{option}: {OUTPUT_NAME} is closed: redirect it") from None
        raise OutputError(f"{option}: cannot be written: {error.strerror}") from None


def printable(line: str) -> str:
    """Return a line with what may not be printed, as in a file's name, as `\\n` or `\\x1b`."""
    return _CONTROL.sub(_escaped, line)


def _escaped(character: re.Match[str]) -> str:
    raw = os.fsencode(character[0]) if "\udc80" <= character[0] <= "\udcff" else b""
    return f"\\x{raw[0]:02x}" if raw else repr(character[0])[1:-1]


def _open_if_closed(descriptor: int, flags: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        opened = os.open(os.devnull, flags)
        os.dup2(opened, descriptor)
        if opened != descriptor:
            os.close(opened)
        os.set_inheritable(descriptor, True)


def _wrapped(stream: TextIO | None, raw: io.FileIO) -> TextIO:
    """Return the stream over `raw`; one of Windows' terminals stays, which takes no bytes."""
    if os.name == "nt" and stream is not None and stream.isatty():
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding if stream else "utf-8",
        errors=stream.errors if stream else "backslashreplace",
        line_buffering=stream.line_buffering if isinstance(stream, io.TextIOWrapper) else True,
    )
