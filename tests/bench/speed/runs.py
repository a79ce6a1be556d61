"""Runs of the command whose pace, core seconds or memory `throughput.py` measures.

Every run writes to a new folder, and nothing is removed in between: for some minutes ext4 makes new
files where others were removed in up to 40 times the time. That holds between benches, too: let
TMPDIR name a folder in memory, such as /dev/shm, for figures that do not depend on it.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

PEAK = """
import sys
from pathlib import Path
from cctranslate.cli import main
try:
    main()
finally:
    lines = Path("/proc/self/status").read_text().splitlines()
    print(*(line.split()[1] for line in lines if line.startswith("VmHWM")), file=sys.stderr)
"""
_number = count()


def fresh(place: Path) -> Path:
    """Return a folder that is not there yet."""
    return place / f"out-{next(_number)}"


def words(source: Path, out: Path, *more: str | Path) -> list[str]:
    """Return the command's arguments for a run."""
    given = ("batch", source, "--to", "happy", "-o", out, "--device", "cpu", "-q", "--no-html")
    return list(map(str, (*given, *more)))


def run_all(commands: list[list[str]], checkout: Path | None = None) -> float:
    """Run commands side by side; return the seconds until the last ends."""
    environment = {**os.environ, **({"PYTHONPATH": str(checkout)} if checkout else {})}
    # An installed package is compiled once, and not at each start.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    processes = [
        subprocess.Popen([sys.executable, "-P", "-m", "cctranslate", *each], env=environment)
        for each in commands
    ]
    if any(process.wait() for process in processes):
        sys.exit("a command failed")
    return time.perf_counter() - started


def rate(
    folder: Path, place: Path, *more: str | Path, shards: int = 1, checkout: Path | None = None
) -> float:
    """Return the pictures of a folder that the command translates in a second, without its start.

    `place` takes the results. Shards run side by side.
    """
    first = min(folder.iterdir())
    parts = [("--shard", f"{i}/{shards}") for i in range(1, shards + 1)] if shards > 1 else [()]
    whole = [words(folder, fresh(place), *more, *part) for part in parts]
    start = run_all([words(first, fresh(place), *more)], checkout)
    seconds = run_all(whole, checkout)
    if seconds < 2 * start:
        sys.exit(f"{seconds:.1f} seconds, and {start:.1f} for one input: name more --faces")
    return sum(1 for _ in folder.iterdir()) / (seconds - start)


def core_seconds(arguments: list[str], checkout: Path | None = None) -> float:
    """Return the seconds of cores that a command takes."""
    before = os.times()
    run_all([arguments], checkout)
    after = os.times()
    return (
        after.children_user
        + after.children_system
        - (before.children_user + before.children_system)
    )


def memory(faces: Path, place: Path, weights: Path, counts: tuple[int, ...]) -> Iterator[str]:
    """Yield a line for each count: the peak memory of a run on that many links to the faces."""
    sources = sorted(faces.iterdir())
    for number in counts:
        folder = place / str(number)
        for i in range(number):
            path = folder / f"{i // 1000:04}" / f"{i:06}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(sources[i % len(sources)])
        arguments = words(folder, fresh(place), "--weights", weights, "--threads")
        done = subprocess.run(
            [sys.executable, "-c", PEAK, *arguments], stderr=subprocess.PIPE, text=True, check=True
        )
        yield f"{number} inputs: {int(done.stderr.split()[-1]) / 1024:.0f} MiB"
