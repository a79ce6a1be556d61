"""Standard streams that are closed, full or abandoned. Errors name them, and runs survive stderr.

Python sets the stream of a closed descriptor to None, and the next file that is opened takes the
descriptor's number. A C library's messages would go into that file.
"""

import errno
import io
import os
import re
import sys
from typing import TextIO

from cctranslate.errors import InputError, OptionError, OutputError

OUTPUT_NAME = "standard output"
"""The file name in errors about it."""
_STDIN, _STDOUT, _STDERR = range(3)
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that break a line, change its direction, control a terminal, or are not text."""


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
    """Open closed descriptors, and wrap standard output and error.

    A closed stdin is opened for writing and a closed stdout for reading, so that using it fails.
    """
    _open_if_closed(_STDIN, os.O_WRONLY)
    _open_if_closed(_STDOUT, os.O_RDONLY)
    _open_if_closed(_STDERR, os.O_WRONLY)
    if sys.stdin is None:
        sys.stdin = open(_STDIN, closefd=False)  # noqa: SIM115
    sys.stdout = _wrapped(sys.stdout, _NamedOutput(_STDOUT, "w", closefd=False))
    sys.stderr = _wrapped(sys.stderr, _OptionalOutput(_STDERR, "w", closefd=False))


def discard_output() -> None:
    """Redirect standard output to the null device, as the interpreter flushes it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), _STDOUT)


def require_input(option: str) -> None:
    """Make sure that standard input, which `option` names, can be read.

    Raises:
        InputError: It is closed.
    """
    try:
        os.read(_STDIN, 0)
    except OSError:
        raise InputError(f"{option}: standard input is closed: redirect it") from None


def require_output(option: str) -> None:
    """Make sure that standard output, which `option` names, can be written.

    Raises:
        OptionError: It is closed.
        OutputError: It cannot be written.
    """
    try:
        os.write(_STDOUT, b"")
    except OSError as error:
        if error.errno == errno.EBADF:
            raise OptionError(f"{option}: {OUTPUT_NAME} is closed: redirect it") from None
        raise OutputError(f"{option}: cannot be written: {error.strerror}") from None


def printable(line: str) -> str:
    """Return a line with control characters, as of a file's name, escaped as `\\n` or `\\x1b`."""
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
    """Return a text stream over `raw`. A terminal of Windows takes no bytes and stays as it is."""
    if os.name == "nt" and stream is not None and stream.isatty():
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding if stream else "utf-8",
        errors=stream.errors if stream else "backslashreplace",
        line_buffering=stream.line_buffering if isinstance(stream, io.TextIOWrapper) else True,
    )
