"""Open the runner that a call's options name."""

from collections.abc import Iterator
from contextlib import contextmanager

from cctranslate.batch.options import Options
from cctranslate.batch.runners.local import LocalRunner
from cctranslate.batch.runners.runner import Runner
from cctranslate.bundle import Bundle


@contextmanager
def open_runner(options: Options, loaded: Bundle) -> Iterator[Runner]:
    """Open a runner, which a cluster is connected for.

    Raises:
        DeviceError, BundleError: The bundle or the device cannot be used.
        OptionError: The runner's library is not installed.
        WorkersError: The cluster cannot be reached.
    """
    if options.runner == "local":
        yield LocalRunner(options, loaded)
        return
    from cctranslate.batch.runners import ray_cluster
    from cctranslate.batch.runners.ray_runner import RayRunner

    with ray_cluster.connected():
        yield RayRunner(options, loaded)
