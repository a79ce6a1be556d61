"""The command line: a Click group whose commands import their half only when run."""

import os
import signal
import sys
from types import FrameType

import click

from cctranslate import __version__
from cctranslate.commands.batch import batch
from cctranslate.commands.evaluate import evaluate
from cctranslate.commands.export import export
from cctranslate.commands.fit import fit

CONTEXT = {"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "CCTRANSLATE"}


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, prog_name="cctranslate")
def cli() -> None:
    """Give faces another expression, in bulk, each result confirmed by an independent judge.

    \b
    cctranslate batch ./faces --to happy            translate a folder
    cctranslate batch ./faces --to all -o out       all seven expressions
    cctranslate fit --data fer2013.csv              train
    cctranslate export runs/001-ours -o my-weights  make a bundle of a run
    """


for command in (batch, fit, export, evaluate):
    cli.add_command(command)


def main() -> None:
    """Run the command line; Ctrl-C and SIGTERM exit 130, a reader that went away 141."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        status = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except click.Abort:
        status = 130
    except KeyboardInterrupt:
        status = 130
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except BrokenPipeError:
        # The interpreter flushes stdout once more at exit: give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    sys.exit(status if isinstance(status, int) else 0)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
