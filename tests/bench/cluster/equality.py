"""Whether a Ray cluster leaves what one machine leaves, also when its parts are killed at random.

    python tests/bench/cluster/equality.py work                        all parts: half an hour
    python tests/bench/cluster/equality.py work --part alone --layout tree
    python tests/bench/cluster/equality.py work --part ray --layout tree
    python tests/bench/cluster/equality.py work --part kills --kills 10 --seed 3

`alone` takes drawn faces (20,000 by default) to all expressions on this machine, `ray` does the
same on a cluster of two nodes with two CPUs each and compares, and `kills` does it while actors,
nodes and the command are killed at random moments; a killed node is replaced by a new one, a killed
command is started again. A run may end before all kills: take several seeds. What a part left in
the folder `work`, the later ones use. The bundle paints a patch and does next to nothing else.
Results must be the same byte for byte, tars by content, rows apart from times. Linux only.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from PIL import Image

from tests.batch.runners import cluster
from tests.support import bundles, pictures
from tests.support.cli import command
from tests.support.equality import assert_same
from tests.support.reports import rows

LAYOUTS = ("imagefolder", "tree", "webdataset")
EVENTS = ("actor", "node", "driver")
CPUS = 2


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("--part", choices=("alone", "ray", "kills"), action="append")
    parser.add_argument("--layout", choices=LAYOUTS, action="append")
    parser.add_argument("--faces", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    make_inputs(given.work, given.faces)
    for part in given.part or ("alone", "ray", "kills"):
        # Kills take long, and what they could spoil is the same in each layout.
        for layout in given.layout or (LAYOUTS if part != "kills" else LAYOUTS[:1]):
            started = time.monotonic()
            out = given.work / f"{part}-{layout}"
            shutil.rmtree(out, ignore_errors=True)
            summary = PARTS[part](given, layout, out)
            if part != "alone":
                assert_same(out, given.work / f"alone-{layout}")
                summary += ", the same"
            print(f"{part} {layout}: {time.monotonic() - started:.0f} s{summary}", flush=True)


def make_inputs(work: Path, count: int) -> None:
    """Draw faces into folders of 1,000, a hundredth of them broken or no pictures."""
    if (work / "faces").exists():
        return
    bundles.write_bundle(work / "bundle")
    for k in range(count):
        path = work / "faces" / f"{k // 1000:03}" / f"{k:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if k % 200 == 7:
            path.write_bytes(b"\x89PNG\r\n broken")
        elif k % 200 == 8:
            path.with_suffix(".txt").write_text("no picture")
        else:
            Image.fromarray(pictures.draw_face(k % 7, k)).save(path)


def words(work: Path, layout: str, out: Path, *more: str) -> list[str]:
    fixed = ("--to", "all", "--layout", layout, "--weights", work / "bundle", "--no-sheet", "-q")
    return command("batch", work / "faces", *fixed, "--device", "cpu", "-o", out, *more)


def alone(given: argparse.Namespace, layout: str, out: Path) -> str:
    assert subprocess.run(words(given.work, layout, out), check=False).returncode == 1
    return f" for {len(rows(out)):,} rows"


def on_ray(given: argparse.Namespace, layout: str, out: Path) -> str:
    with cluster.cluster(CPUS, CPUS) as nodes:
        ended = subprocess.run(
            words(given.work, layout, out, "--runner", "ray"),
            env=cluster.environment(nodes),
            check=False,
        )
    assert ended.returncode == 1
    return ""


def kills(given: argparse.Namespace, layout: str, out: Path) -> str:
    chance = random.Random(given.seed)
    events = [EVENTS[k % len(EVENTS)] for k in range(given.kills)]
    chance.shuffle(events)
    done: list[str] = []
    with cluster.cluster(CPUS, CPUS) as nodes:
        process = start(given, layout, out, nodes)
        finished = out / ".cluster" / "rows"
        while events and wait_for_block(process, finished):
            time.sleep(chance.random())
            event = events.pop()
            if event == "actor" and (actors := cluster.actors()):
                os.kill(chance.choice(actors), signal.SIGKILL)
            elif event == "node":
                nodes.remove_node(nodes.worker_nodes.copy().pop(), allow_graceful=False)
                nodes.add_node(num_cpus=CPUS)
            elif event == "driver":
                process.kill()
                process.wait()
                process = start(given, layout, out, nodes)
            done.append(event)
            print(f"  {count(finished)} blocks: killed {event}", flush=True)
        assert process.wait() == 1
    kinds = ", ".join(f"{done.count(event)} {event}" for event in EVENTS)
    return f", {len(done)} of {given.kills} kills ({kinds})"


def start(given: Any, layout: str, out: Path, nodes: Any) -> subprocess.Popen[bytes]:
    line = words(given.work, layout, out, "--runner", "ray")
    return subprocess.Popen(line, env=cluster.environment(nodes))


def wait_for_block(process: subprocess.Popen[bytes], finished: Path) -> bool:
    """Wait for a new block, so that each kill meets another state; return whether there is one."""
    before = count(finished)
    cluster.wait_for(lambda: count(finished) > before or process.poll() is not None, 500)
    return process.poll() is None


def count(folder: Path) -> int:
    return len(list(folder.iterdir())) if folder.is_dir() else 0


PARTS: dict[str, Any] = {"alone": alone, "ray": on_ray, "kills": kills}

if __name__ == "__main__":
    main()
