"""A Ray cluster of several nodes on this machine, for tests and benches."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# Else workers get what all else on the machine leaves.
os.environ.setdefault("RAY_worker_niceness", "0")


@contextmanager
def cluster(*cpus: int) -> Iterator[Any]:
    """Start a node for each number of processors; the first is the head."""
    from ray.cluster_utils import Cluster

    head, *others = cpus
    nodes = Cluster(
        initialize_head=True, head_node_args={"num_cpus": head, "include_dashboard": False}
    )
    try:
        for count in others:
            nodes.add_node(num_cpus=count)
        yield nodes
    finally:
        nodes.shutdown()


def environment(nodes: Any) -> dict[str, str]:
    """Return the environment of a child that joins a cluster."""
    return os.environ | {"RAY_ADDRESS": nodes.address}


def actors() -> list[int]:
    """Return the process ids of Ray's actors on this machine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            if path.read_bytes().startswith(b"ray::MapWorker"):
                found.append(int(path.parent.name))
    return sorted(found)


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Wait until a condition is true; fail if it does not become so."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            raise AssertionError("it did not come to that")
        time.sleep(0.05)
