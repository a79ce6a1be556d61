"""The command line: a Click group, and the one place where errors become exit codes."""

import errno
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, Any

import click

from cctranslate import __version__
from cctranslate.commands.batch import batch
from cctranslate.commands.doctor import doctor
from cctranslate.commands.evaluate import evaluate
from cctranslate.commands.export import export
from cctranslate.commands.fit import fit
from cctranslate.commands.report import report
from cctranslate.errors import UnusableError, UserError
from cctranslate.process import signals, standard_streams

CONTEXT: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "auto_envvar_prefix": "CCTRANSLATE",
}


class _ReaderGoneError(click.ClickException):
    """The program that read stdout has ended. Nothing is printed."""

    exit_code = 141

    def show(self, file: IO[str] | None = None) -> None:
        """Print nothing."""
        standard_streams.discard_output()


def _failed(message: str, exit_code: int = 1) -> click.ClickException:
    """Return an exception that Click prints as one line and ends with `exit_code`."""
    kind = type("Failed", (click.ClickException,), {"exit_code": exit_code})
    failed: click.ClickException = kind(standard_streams.printable(message))
    return failed


class _Group(click.Group):
    """A command group that ends a user's mistake with one line and an exit code."""

    def make_context(self, *words: Any, **extra: Any) -> click.Context:
        """Parse the command line. `--help` and `--version` print already here."""
        with _errors_as_exit_codes():
            return super().make_context(*words, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        with _errors_as_exit_codes():
            result = super().invoke(ctx)
            sys.stdout.flush()
        return result


@contextmanager
def _errors_as_exit_codes() -> Iterator[None]:
    """Turn errors into exceptions that Click prints, each with its exit code."""
    try:
        yield
    except click.BadParameter as error:
        _name_variable(error)
        raise
    except BrokenPipeError:  # Click would end with exit code 1.
        raise _ReaderGoneError("") from None
    except UserError as error:
        raise _failed(str(error), error.exit_code) from None
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("torch", "onnx"):
            missing = f"{package} is not installed: pip install 'cctranslate[train]'"
            raise _failed(missing) from None
        if package in ("", "cctranslate"):
            raise
        raise _failed(
            f"{package} is not installed, or not whole: pip uninstall it, then pip install "
            "cctranslate again; `cctranslate doctor` shows more",
            UnusableError.exit_code,
        ) from None
    except FileNotFoundError as error:
        if _working_directory_is_there():
            raise _failed(_described(error)) from None
        raise _failed("the working directory was deleted: change to one that is there") from None
    except MemoryError:
        raise _failed("memory is short: free some, and run the same command again") from None
    except OSError as error:
        if error.filename == standard_streams.OUTPUT_NAME:
            standard_streams.discard_output()
        raise _failed(_described(error)) from None


def _unloadable(error: ImportError) -> click.ClickException | None:
    """Return the error for a compiled library that cannot be loaded; None for another import."""
    first: BaseException = error
    while isinstance(first.__cause__ or first.__context__, ImportError):
        first = first.__cause__ or first.__context__ or first
    path = getattr(first, "path", None) or ""
    if not path or path.endswith(".py"):
        return None
    reason = str(first).splitlines()[0]
    if "failed to map segment" in reason:  # whose cause the system does not tell
        reason += ": memory may be short, as by ulimit -v: allow more"
    return _failed(f"a library cannot be loaded: {reason}")


def _name_variable(error: click.BadParameter) -> None:
    """Name the environment variable in the error of a value that came from one."""
    context, option = error.ctx, error.param
    if context is None or option is None or option.name is None:
        return
    source = context.get_parameter_source(option.name)
    if source is click.core.ParameterSource.ENVIRONMENT:
        name = f"{context.auto_envvar_prefix}_{option.name}".upper()
        error.param_hint = f"{option.get_error_hint(context)} ({name})"


def _described(error: OSError) -> str:
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"{error.strerror}: allow more (ulimit -n), or give fewer --workers"
    return ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)


def _working_directory_is_there() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True


def _show_version(context: click.Context, _: click.Parameter, shown: bool) -> None:
    if shown and not context.resilient_parsing:
        from cctranslate import bundle

        try:
            name = bundle.identifier(bundle.shipped())
        except UserError as error:
            raise _failed(str(error), error.exit_code) from None
        click.echo(f"cctranslate {__version__}, bundle {name}")
        context.exit()


@click.group(cls=_Group, context_settings=CONTEXT)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and the bundle that comes with it, and exit.",
)
def cli() -> None:
    """Give faces another expression, in bulk, and have a classifier check each result.

    \b
    cctranslate batch ./faces --to happy            translate a folder
    cctranslate batch ./faces --to all -o out       all seven expressions
    cctranslate fit --data fer2013.csv              train
    cctranslate export runs/001-mouth-student       make a bundle of a run
    cctranslate doctor                              what runs where, and what to mend
    """


for command in (batch, report, fit, export, evaluate, doctor):
    cli.add_command(command)


def main() -> None:
    """Run the command line; Ctrl-C, SIGTERM and SIGHUP exit 130, a reader that went away 141."""
    standard_streams.prepare()

    def interrupt(signum: int, frame: FrameType | None) -> None:
        signals.received.append(signum)
        raise KeyboardInterrupt

    for number in signals.handled_signals():
        signal.signal(number, interrupt)
    try:
        status = cli.main(standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        status = 130
    except ImportError as error:
        failed = _unloadable(error)
        if signals.received:  # while a compiled library was imported
            status = 130
        elif failed:
            failed.show()
            status = failed.exit_code
        else:
            raise
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    sys.exit(status if isinstance(status, int) else 0)
