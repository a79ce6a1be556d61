"""What a Ray cluster costs for each face, how it grows with nodes, and what the driver needs.

    python tests/bench/cluster/overhead.py work                  all parts
    python tests/bench/cluster/overhead.py work --part driver --inputs 200000
    python tests/bench/cluster/overhead.py work --part faces --part nodes

- `driver`: processor time, memory and disk for each input of a plan and of joining its rows (seven
  for each input), and time to list a file of a folder. No cluster is started.
- `faces`: the time of a face on one core, by the command alone and on a cluster of one worker, with
  a bundle that does next to nothing. Starts are left out: three times as many faces less as many.
- `nodes`: faces a second over 1, 2 and 4 nodes of one worker each, with models that sleep 10 ms a
  face instead of computing, so that nodes do not share the machine's processors. Blocks are counted
  from when each worker has begun one to when the last was begun.
"""

import argparse
import shutil
import statistics
import threading
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from cctranslate.batch.items import Item
from cctranslate.batch.outputs.layout import Layout, Names
from cctranslate.batch.pipeline import remaining
from cctranslate.batch.report.counts import Counts
from cctranslate.batch.report.resume import ResumeState
from cctranslate.batch.report.row import Disposition, Row
from cctranslate.batch.runners.blocks import joining
from cctranslate.batch.runners.blocks.plan_files import read_block
from cctranslate.batch.runners.blocks.planning import Planner
from cctranslate.batch.runners.blocks.row_files import BlockRows
from cctranslate.batch.runners.blocks.work_folder import BlockPlan, WorkFolder
from cctranslate.emotions import EMOTIONS
from cctranslate.files.walking import walk
from tests.batch.runners import cluster
from tests.bench.cluster.sleeping import SECONDS
from tests.support import bundles, pictures
from tests.support.cli import invoke

NODES = (1, 2, 4)
FEW = 3_000
"""Faces of a node, and of the smaller run on one core."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("--part", choices=("driver", "faces", "nodes"), action="append")
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--nodes", type=int, action="append")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    make_faces(given.work, max(NODES) * FEW)
    for part in given.part or ("driver", "faces", "nodes"):
        {"driver": driver, "faces": faces, "nodes": nodes}[part](given)


def make_faces(work: Path, count: int) -> None:
    if not (work / "bundle").exists():
        bundles.write_bundle(work / "bundle")
    for k in range(count):
        path = work / "faces" / f"{k // FEW}" / f"{k:05}.png"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pictures.draw_face(k % 7, k)).save(path)


def driver(given: argparse.Namespace) -> None:
    count = given.inputs
    started = time.process_time()
    listed = sum(1 for _ in walk(given.work / "faces"))
    tell("list a file", (time.process_time() - started) / listed)
    out = given.work / "driver"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    folder = WorkFolder(out)
    folder.make()
    layout = Layout(kind="imagefolder", suffix=".png", names_strength=False, separate_faces=False)
    resume = ResumeState(
        EMOTIONS,
        base=Path.cwd(),
        is_there=lambda _: True,
        altered=(),
        position=lambda _: None,
    )
    planner = Planner(folder, layout, Names())
    started = time.process_time()
    items = (item for item in remaining(synthetic(count), resume) if item)
    planner.write(items, len(EMOTIONS), 100)
    tell("plan an input", (time.process_time() - started) / count)
    print(f"plan: {size(folder.block(0).parent) / count:.0f} bytes of disk an input")
    plan = BlockPlan(
        request={}, blocks=planner.blocks, inputs=count, base=0, first_tar=0, last_outputs=()
    )
    write_rows(folder, plan)
    print(f"rows: {size(folder.rows(0).parent) / count:.0f} bytes of disk an input")
    started, length = time.process_time(), 0
    for lines in joining.lines(joining.join(folder, plan, Counts()), None, lambda _: None, False):
        length += len(lines)
    tell("join the rows of an input", (time.process_time() - started) / count)
    print(f"report.csv: {length / count:.0f} bytes an input")
    tracemalloc.start()
    for _ in remaining(synthetic(count), resume):
        pass
    print(f"driver: {tracemalloc.get_traced_memory()[1] / count:.0f} bytes of memory an input")
    tracemalloc.stop()
    shutil.rmtree(out)


def synthetic(count: int) -> Iterator[Item]:
    for k in range(count):
        relative = f"{k // 1000:06}/{k:09}.png"
        yield Item(path=Path("/data/faces", relative), relative=relative, named=False)


def write_rows(folder: WorkFolder, plan: BlockPlan) -> None:
    row = Row(
        source="",
        faces=1,
        face=1,
        box=(0, 0, 48, 48),
        target="happy",
        status="done",
        predicted="happy",
        confidence=0.994637,
        confirmed=True,
        probabilities=(0.0, 6e-06, 0.002465, 0.994637, 0.002884, 7e-06, 0.0),
        source_label="sad",
        source_predicted="sad",
        strength=1,
        sample=1,
        width=48,
        height=48,
        mode="L",
        source_sha256="d" * 64,
        ms=0.14,
        disposition=Disposition.WRITTEN,
        source_size=1538,
        source_mtime_ns=1_795_738_128_224_899_000,
        output_size=2151,
        output_sha256="4" * 64,
        results_per_face=len(EMOTIONS),
    )
    for number in range(plan.blocks):
        items, _ = read_block(folder.block(number))
        rows = BlockRows(
            numbers=[each for each, _ in items], have_earlier_rows=[False] * len(items)
        )
        for _, item in items:
            name = item.relative.replace("/", "__")
            own = replace(row, source=item.source, result_name=name)
            rows.add([replace(own, target=e, output=f"{e}/{name}") for e in EMOTIONS])
        rows.write(folder.rows(number))


def faces(given: argparse.Namespace) -> None:
    with cluster.cluster(1) as running, connected(running.address):
        for name, words in (("one core", ("--threads",)), ("one worker", ("--runner", "ray"))):
            times = []
            for _ in range(given.rounds):
                few, many = (timed(given, folders, *words) for folders in (1, 3))
                times.append((many - few) / (2 * FEW))
            tell(f"a face on {name}", statistics.median(times))


def timed(given: argparse.Namespace, folders: int, *words: str) -> float:
    started = time.perf_counter()
    translate(given, folders, "--workers", "1", *words)
    return time.perf_counter() - started


def nodes(given: argparse.Namespace) -> None:
    for count in given.nodes or NODES:
        hook = {"worker_process_setup_hook": "tests.bench.cluster.sleeping.install"}
        with cluster.cluster(*[1] * count) as running, connected(running.address, hook):
            seen = Watcher(given.work / "out" / ".cluster")
            translate(given, count, "--runner", "ray")
            begun, finished = seen.stop()
        # All workers are busy from when so many blocks are in progress.
        busy = next(
            t for i, t in enumerate(begun, 1) if i - sum(end < t for end in finished) == count
        )
        blocks = sum(busy < end <= begun[-1] for end in finished)
        rate = blocks * count * FEW / len(finished) / (begun[-1] - busy)
        print(f"{count} nodes: {rate:.0f} faces/s of {count / SECONDS:.0f}", flush=True)


class Watcher(threading.Thread):
    """Notes when each block was begun and finished."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self._ended = threading.Event()
        self._begun, self._finished = dict[str, float](), dict[str, float]()
        self._folders = {folder / "attempts": self._begun, folder / "rows": self._finished}
        self.start()

    def run(self) -> None:
        while not self._ended.wait(0.02):
            for folder, times in self._folders.items():
                for path in folder.glob("[0-9]*"):
                    times.setdefault(path.name, time.perf_counter())

    def stop(self) -> tuple[list[float], list[float]]:
        self._ended.set()
        return sorted(self._begun.values()), sorted(self._finished.values())


def connected(address: str, runtime: dict[str, Any] | None = None) -> Any:
    import ray

    return ray.init(address=address, log_to_driver=False, runtime_env=runtime)


def translate(given: argparse.Namespace, folders: int, *words: str) -> None:
    out = given.work / "out"
    shutil.rmtree(out, ignore_errors=True)
    inputs = [given.work / "faces" / str(k) for k in range(folders)]
    fixed = ("--to", "happy", "--weights", given.work / "bundle", "--no-sheet", "--no-html", "-q")
    ended = invoke("batch", *inputs, *fixed, "--device", "cpu", "-o", out, *words)
    assert ended.exit_code == 0, ended.output


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def tell(what: str, seconds: float) -> None:
    print(f"{what}: {seconds * 1e6:,.0f} microseconds", flush=True)


if __name__ == "__main__":
    main()
