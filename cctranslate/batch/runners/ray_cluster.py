"""Blocks on the actors of a Ray cluster, through Ray Data."""

import json
import logging
import os
import traceback
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cctranslate import errors
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.runners.block_translator import BlockTranslator, Job
from cctranslate.errors import OptionError, UserError, WorkersError

# Before Ray is imported, which else reports its use to its makers.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
try:
    import ray
    import ray.data
    import ray.exceptions
except ImportError:
    raise OptionError("--runner ray needs Ray: pip install 'cctranslate[ray]'") from None

FEW_CPUS = 4
"""Processors below which a cluster is hardly one: Ray itself needs some of them."""
MOST_CPUS_OF_A_GPU = 8
"""Processors that decode and encode beside one GPU: one process's Python keeps no more busy."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What the nodes of a cluster have."""

    cpus: int
    gpus: int
    cpus_of_a_gpu: int
    """Processors beside each GPU, on the node that has the fewest of them."""


@contextmanager
def connected() -> Iterator[None]:
    """Join the cluster that the environment names or that runs here, or start one.

    Raises:
        OptionError: It is to be reached by Ray Client.
        WorkersError: It cannot be reached.
    """
    if os.environ.get("RAY_ADDRESS", "").startswith("ray://"):
        raise OptionError(
            "RAY_ADDRESS names Ray Client, whose runs end with its connection: start the command "
            "on the cluster with `ray job submit`"
        )
    mine = not ray.is_initialized()
    if mine:
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, OSError) as error:
            raise WorkersError(f"Ray cannot be reached: {_last_line(error)}") from None
    try:
        yield
    finally:
        if mine:
            ray.shutdown()


def resources() -> Resources:
    """Return what the cluster has now."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    beside = [int(n.get("CPU", 0) // n["GPU"]) for n in nodes if n.get("GPU", 0) >= 1]
    return Resources(
        cpus=int(sum(node.get("CPU", 0) for node in nodes)),
        gpus=int(sum(node.get("GPU", 0) for node in nodes)),
        cpus_of_a_gpu=max(min([MOST_CPUS_OF_A_GPU, *beside]), 1),
    )


def translate(
    job: Job, numbers: Sequence[int], *, actors: int, cpus: int, gpus: int
) -> Generator[tuple[int, Counts]]:
    """Translate blocks on at most so many actors; return inputs and counts of each that ended.

    A block whose actor or node was lost is given to another. If the iterator is closed, blocks in
    progress are given up.

    Args:
        job: What every actor gets.
        numbers: The blocks.
        actors: Most actors.
        cpus: Processors of an actor.
        gpus: GPUs of an actor.

    Raises:
        UserError: As a worker raised it.
        WorkersError: Ray gave up.
    """
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="ray")
    blocks = ray.data.from_items([{"number": n} for n in numbers], override_num_blocks=len(numbers))
    most = min(actors, len(numbers))
    finished = blocks.map(
        _Actor,
        fn_constructor_args=(job,),
        compute=ray.data.ActorPoolStrategy(
            min_size=1, max_size=most, initial_size=most, max_tasks_in_flight_per_actor=1
        ),
        num_cpus=cpus,
        num_gpus=gpus,
    )
    try:
        for row in finished.iter_rows():
            if row["error"]:
                raise _raised(row["error"], row["message"])
            yield int(row["inputs"]), Counts.from_record(json.loads(row["counts"]))
    except ray.exceptions.RayError as error:
        raise WorkersError(f"Ray gave up: {_last_line(error)}: the same command goes on") from None


class _Actor:
    """Translates blocks; what users can mend comes back as a value, as Ray would wrap it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._translator: BlockTranslator | None = None

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Translate a block."""
        try:
            self._translator = self._translator or BlockTranslator(self._job)
            inputs, counts = self._translator.translate(int(row["number"]))
        except UserError as error:
            return _failed(type(error).__name__, str(error))
        except Exception as error:
            traceback.print_exc()  # to the worker's log, for whoever mends it
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
