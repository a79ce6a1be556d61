"""What a command needs of its half, and how it says that something is missing or wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def training_half() -> Iterator[None]:
    """Turn the training half's errors, and its absence, into one line and a non-zero exit."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("torch", "onnx", "onnxscript"):
            raise
        raise click.ClickException(
            f"{error.name} is not installed: pip install 'cctranslate[train]'"
        ) from None
    except _known_errors() as error:
        raise click.ClickException(str(error)) from None


def _known_errors() -> tuple[type[Exception], ...]:
    from cctranslate.bundle import BundleError
    from cctranslate.training.checkpoint import CheckpointError
    from cctranslate.training.dataset import DataError
    from cctranslate.training.device import DeviceError
    from cctranslate.training.runs import RunError

    return BundleError, CheckpointError, DataError, DeviceError, RunError
