"""What a command needs of the training half, and how it says that something is missing or wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from cctranslate.errors import UnusableError, UserError


class _Unusable(click.ClickException):
    exit_code = 4


@contextmanager
def training_half() -> Iterator[None]:
    """Turn the training half's refusals, and its absence, into one line and a non-zero exit."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("torch", "onnx"):
            raise
        raise click.ClickException(
            f"{error.name} is not installed: pip install 'cctranslate[train]'"
        ) from None
    except UserError as error:
        refusal = _Unusable if isinstance(error, UnusableError) else click.ClickException
        raise refusal(str(error)) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        said = [str(part) for part in (error.filename, error.strerror or error) if part]
        raise click.ClickException(": ".join(said)) from None
