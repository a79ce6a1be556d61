"""Translate the blocks of a plan on the actors of a Ray cluster, with Ray Data."""

import json
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cctranslate import errors
from cctranslate.batch.call.options import Options
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.runners.blocks.block_translator import BlockTranslator, WorkerSetup
from cctranslate.batch.runners.blocks.blocks import BlockResult
from cctranslate.bundle import Bundle
from cctranslate.errors import DeviceError, OptionError, UserError, WorkersError
from cctranslate.inference.engines import Engine
from cctranslate.inference.models import TranslationModels
from cctranslate.inference.sessions import CUDA

# Set before the import: Ray sends usage reports otherwise.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
try:
    import ray
    import ray.data
    import ray.exceptions
except ImportError:
    raise OptionError("--runner ray needs Ray: pip install 'cctranslate[ray]'") from None

FEW_CPUS = 4
"""Processors below which a cluster gets a warning: Ray itself needs some of them."""
MOST_CPUS_OF_A_GPU = 8
"""Most processors that decode and encode for one GPU: a Python process cannot use more."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The CPUs and GPUs of a cluster."""

    cpus: int
    gpus: int
    cpus_of_a_gpu: int
    """Processors for each GPU, on the node that has the fewest."""


@contextmanager
def connected() -> Iterator[None]:
    """Join the cluster that the environment names or that runs here, or start one.

    Raises:
        OptionError: RAY_ADDRESS names Ray Client.
        WorkersError: It cannot be reached.
    """
    if os.environ.get("RAY_ADDRESS", "").startswith("ray://"):
        raise OptionError(
            "RAY_ADDRESS names Ray Client, whose runs end with its connection: start the command "
            "on the cluster with `ray job submit`"
        )
    starts_ray = not ray.is_initialized()
    if starts_ray:
        try:
            with _stderr_closed():
                ray.init(log_to_driver=False, logging_level=logging.ERROR)
        except UnicodeEncodeError as error:  # in a path of its temporary files
            raise WorkersError(
                f"Ray cannot use {error.object}: set TMPDIR to a folder whose path is ASCII"
            ) from None
        except (ConnectionError, RuntimeError, OSError, ValueError) as error:
            raise WorkersError(f"Ray cannot be reached: {_last_line(error)}") from None
    try:
        yield
    finally:
        if starts_ray:
            ray.shutdown()


@contextmanager
def _stderr_closed() -> Iterator[None]:
    """Hide what Ray's core prints at its start; failures are raised anyway."""
    sys.stderr.flush()
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def resources() -> Resources:
    """Return the current resources of the cluster."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    cpus_of_gpus = [int(n.get("CPU", 0) // n["GPU"]) for n in nodes if n.get("GPU", 0) >= 1]
    return Resources(
        cpus=int(sum(node.get("CPU", 0) for node in nodes)),
        gpus=int(sum(node.get("GPU", 0) for node in nodes)),
        cpus_of_a_gpu=max(min([MOST_CPUS_OF_A_GPU, *cpus_of_gpus]), 1),
    )


class RayBlocks:
    """Translates blocks on actors, one for each GPU or else for each processor."""

    def __init__(self, options: Options, loaded: Bundle) -> None:
        """Choose the device and engine for the models on the connected cluster.

        Raises:
            DeviceError: The cluster has no such device.
            BundleError: A graph cannot be loaded.
        """
        self._resources = resources()
        self._on_gpus = takes_gpus(options, self._resources)
        self.engine: Engine = "onnxruntime"
        self.provider = CUDA
        if not self._on_gpus:
            # Nodes are assumed to be alike: this one chooses the engine for all.
            models = TranslationModels(
                loaded, "cpu", options.batch_size, options.engine, options.precision, threads=1
            )
            self.engine, self.provider = models.engine, models.provider
        max_workers = max(self._resources.gpus if self._on_gpus else self._resources.cpus, 1)
        self.workers = min(max_workers, options.workers or max_workers)

    def notes(self) -> Iterator[str]:
        """Yield lines about the cluster, for the user."""
        yield f"at most {self.workers} workers of a Ray cluster"
        cpus = self._resources.cpus
        if cpus < FEW_CPUS:
            yield (
                f"the cluster has {cpus} CPUs: Ray needs some for itself, so that fewer than "
                f"{FEW_CPUS} are no quicker than --runner local"
            )

    def translate(
        self, options: Options, first_tar: int, numbers: Sequence[int]
    ) -> Generator[BlockResult]:
        """Translate blocks. If an actor or a node is lost, Ray gives its block to another.

        Raises:
            UserError: As a worker raised it.
            WorkersError: Ray gave up.
        """
        threads = self._resources.cpus_of_a_gpu if self._on_gpus else 1
        setup = WorkerSetup(
            options=replace(options),  # without cached properties, which cannot be pickled
            folder=Path.cwd(),
            device="cuda" if self._on_gpus else "cpu",
            engine=self.engine,
            threads=threads,
            first_tar=first_tar,
        )
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="ray")
        records = [{"number": number} for number in numbers]
        max_workers = min(self.workers, len(numbers))
        finished = ray.data.from_items(records, override_num_blocks=len(records)).map(
            _Actor,
            fn_constructor_args=(setup,),
            compute=ray.data.ActorPoolStrategy(
                min_size=1,
                max_size=max_workers,
                initial_size=max_workers,
                max_tasks_in_flight_per_actor=1,
            ),
            num_cpus=threads,
            num_gpus=int(self._on_gpus),
        )
        try:
            for row in finished.iter_rows():
                if row["error"]:
                    raise _raised(row["error"], row["message"])
                yield int(row["inputs"]), Counts.from_record(json.loads(row["counts"]))
        except ray.exceptions.RayError as error:
            raise WorkersError(
                f"Ray gave up: {_last_line(error)}: the same command goes on"
            ) from None


def takes_gpus(options: Options, available: Resources) -> bool:
    """Return whether the models run on GPUs: if there are any, unless an option forbids it.

    Raises:
        DeviceError: There are none, and one is required.
    """
    if options.device == "cuda" and not available.gpus:
        raise DeviceError("--device cuda: no node of the Ray cluster has a GPU")
    fitting = options.engine != "openvino" and options.precision == "f32"
    if options.device == "cuda" and not fitting:
        raise DeviceError("--device cuda runs onnxruntime in f32: leave out the other option")
    return available.gpus > 0 and fitting and options.device != "cpu"


class _Actor:
    """Translates blocks. A user error is returned as a value, as Ray would wrap an exception."""

    def __init__(self, setup: WorkerSetup) -> None:
        self._setup = setup
        self._translator: BlockTranslator | None = None

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Translate a block."""
        warnings.simplefilter("ignore")
        try:
            self._translator = self._translator or BlockTranslator(self._setup)
            inputs, counts = self._translator.translate(int(row["number"]))
        except UserError as error:
            return _failed(type(error).__name__, str(error))
        except Exception as error:
            traceback.print_exc()  # to the worker's log
            return _failed(WorkersError.__name__, f"a worker failed: {error!r}")
        record = json.dumps(vars(counts))
        return {"inputs": inputs, "counts": record, "error": "", "message": ""}


def _failed(name: str, message: str) -> dict[str, Any]:
    return {"inputs": 0, "counts": "", "error": name, "message": message}


def _raised(name: str, message: str) -> UserError:
    kind = getattr(errors, name, WorkersError)
    error: UserError = kind(message)
    return error


def _last_line(error: Exception) -> str:
    return next(reversed(str(error).strip().splitlines()), type(error).__name__)
