"""Choose and open the runner of a call."""

from collections.abc import Iterator
from contextlib import contextmanager

from cctranslate.batch.call.options import Options
from cctranslate.batch.runners.local import LocalRunner
from cctranslate.batch.runners.runner import Runner
from cctranslate.bundle import Bundle
from cctranslate.errors import OptionError


@contextmanager
def open_runner(options: Options, loaded: Bundle) -> Iterator[Runner]:
    """Open a runner; for `--runner ray`, while connected to a cluster.

    Raises:
        DeviceError, BundleError: The bundle or the device cannot be used.
        OptionError: The runner's library is not installed.
        WorkersError: The cluster cannot be reached.
    """
    if options.runner == "local" and options.store is None:
        yield LocalRunner(options, loaded)
        return
    try:
        from cctranslate.batch.runners.blocks.block_runner import BlockRunner
        from cctranslate.batch.runners.local_blocks import LocalBlocks
    except ImportError as error:
        extra = "ray" if options.runner == "ray" else "remote"
        message = f"{error.name} is not installed: pip install 'cctranslate[{extra}]'"
        raise OptionError(message) from None
    if options.runner == "local":
        yield BlockRunner(LocalBlocks(options, loaded))
        return
    from cctranslate.batch.runners import ray_blocks

    with ray_blocks.connected():
        yield BlockRunner(ray_blocks.RayBlocks(options, loaded))
