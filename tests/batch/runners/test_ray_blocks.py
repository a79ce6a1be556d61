"""A real cluster whose actors and driver are killed loses nothing, and does nothing twice."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.batch.runners import cluster
from tests.support.cli import Run, child, wait_until
from tests.support.equality import assert_same

pytest.importorskip("ray", reason="needs the extra `ray`")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="finds actors below /proc"),
    pytest.mark.filterwarnings("ignore"),
]


def test_killed_actors_and_drivers_change_nothing(
    run: Run, inputs: list[Path], weights: Path, tmp_path: Path
) -> None:
    alone, out = tmp_path / "alone", tmp_path / "out"
    words: tuple[str | Path, ...] = ("--to", "happy,sad", "--weights", weights, "--device", "cpu")
    run(*inputs, *words, "-o", alone)
    finished = out / ".cluster" / "rows"

    def has_rows(count: int) -> bool:
        return finished.is_dir() and len(list(finished.iterdir())) >= count

    with cluster.cluster(1, 1) as nodes:
        words = ("batch", *inputs, *words, "-o", out, "--runner", "ray", "-q")
        first = child(*words, env=cluster.environment(nodes))
        wait_until(first, lambda: has_rows(1))
        os.kill(cluster.actors()[0], signal.SIGKILL)
        wait_until(first, lambda: has_rows(2))
        first.kill()
        first.wait()
        assert (out / ".cluster" / "plan.json").exists()
        again = child(*words, env=cluster.environment(nodes))
        assert again.wait(200) == 1
    assert_same(out, alone)
    assert not (out / ".cluster").exists()
