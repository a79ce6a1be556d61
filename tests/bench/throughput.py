"""How quick `batch` is beside its stages, and in how much memory it runs.

    python tests/bench/throughput.py fer2013.csv                      some minutes
    python tests/bench/throughput.py fer2013.csv --faces 500 --rounds 1 --many 0
    python tests/bench/throughput.py fer2013.csv --before ../another-checkout

Writes the CSV's first faces as 48x48 PNGs and takes them to `happy` on the CPU. Every figure is
measured in each round, one after the other, and the median of the rounds is printed: what else
the machine does disturbs all of them alike.

- `files, one core`: decoding, encoding and writing in this process, in one thread.
- `files`: the command with a bundle that does next to nothing, by threads and by processes, and
  as one command for each core side by side (`--shard`). The goal is 0.8 of cores x one core.
- `models, one core` and `models`: generator and judge alone, with the weights that ship.
- `batch`: the command with the weights that ship. The goal is 0.9 of the slower of the two.
- `photographs, one core`: the command on pictures of 12 megapixels, results as JPEG, in a core's
  time; models included, which take next to nothing.

The command's start is measured on one input and left out. With `--before`, `batch` of another
checkout, with its weights, takes its turns, too, on faces and on photographs. Memory is a process's
peak; Linux only.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from cctranslate import bundle
from cctranslate.batch.inputs.decoding import DecodeOptions
from cctranslate.batch.inputs.exclusions import InputFilter, OutputPaths
from cctranslate.batch.inputs.sources import from_inputs
from cctranslate.batch.outputs.encoding import Encoding
from cctranslate.batch.outputs.layout import Layout, Names
from cctranslate.batch.outputs.writers import Files
from cctranslate.batch.stages.bounds import LARGEST_CHUNK
from cctranslate.batch.stages.chunks import ItemChunk, Work
from cctranslate.batch.stages.render import ResultRenderer
from cctranslate.batch.stages.translate import translate
from cctranslate.faces.detector import FaceDetector
from cctranslate.inference.models import TranslationModels
from cctranslate.inference.sessions import cores
from cctranslate.inference.strength_and_style import in_full
from cctranslate.inference.variants import Plan
from tests.bench.throughput_inputs import PHOTOGRAPHS, photograph, unpack
from tests.support import bundles

PLAN = Plan(targets=("happy",))
FEW = 1000
"""Inputs of the smaller run whose memory is measured."""
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
Measure = Callable[[], float]
"""Returns pictures a second."""


def words(source: Path, out: Path, *more: str | Path) -> list[str]:
    """Return the command's arguments for a run."""
    shutil.rmtree(out, ignore_errors=True)
    given = ("batch", source, "--to", "happy", "-o", out, "--device", "cpu", "-q", "--no-html")
    return list(map(str, (*given, *more)))


def run_all(commands: list[list[str]], checkout: Path | None = None) -> float:
    """Run commands side by side; return the seconds until the last ends."""
    environment = {**os.environ, **({"PYTHONPATH": str(checkout)} if checkout else {})}
    started = time.perf_counter()
    processes = [
        subprocess.Popen([sys.executable, "-P", "-m", "cctranslate", *each], env=environment)
        for each in commands
    ]
    if any(process.wait() for process in processes):
        sys.exit("a command failed")
    return time.perf_counter() - started


def command(
    folder: Path, out: Path, *more: str | Path, shards: int = 1, checkout: Path | None = None
) -> float:
    """Return the pictures a second of the command, without its start."""
    first = min(folder.iterdir())
    parts = [("--shard", f"{i}/{shards}") for i in range(1, shards + 1)] if shards > 1 else [()]
    outs = [out.with_name(f"{out.name}-{i}") for i in range(shards)]
    whole = [words(folder, each, *more, *part) for each, part in zip(outs, parts, strict=True)]
    start = run_all([words(first, out.with_name("start"), *more)], checkout)
    seconds = run_all(whole, checkout)
    if seconds < 2 * start:
        sys.exit(f"{seconds:.1f} seconds, and {start:.1f} for one input: name more --faces")
    seconds -= start
    return sum(1 for _ in folder.iterdir()) / seconds


def one_core(folder: Path, out: Path, weights: Path) -> float:
    """Return the pictures a second that one thread decodes, encodes and writes."""
    models, part = TranslationModels(bundle.load(weights), "cpu"), work(out, "png")
    items = list(from_inputs([str(folder)], OutputPaths(()), InputFilter()))
    shutil.rmtree(out, ignore_errors=True)
    seconds = 0.0
    for i in range(0, len(items), LARGEST_CHUNK):
        started = time.perf_counter()
        decoded = part.decode(ItemChunk(items=items[i : i + LARGEST_CHUNK]))
        seconds += time.perf_counter() - started
        (translated,) = filter(None, translate([decoded], PLAN, models, Names().claim))
        started = time.perf_counter()
        part.finish(translated)
        seconds += time.perf_counter() - started
    return len(items) / seconds


def work(out: Path, form: str) -> Work:
    """Return what the command's workers do."""
    layout = Layout(kind="imagefolder", suffix=f".{form}", tagged=False, apart=False)
    files = Files(out=out, encoding=Encoding(format=form, mark=True))
    renderer = ResultRenderer(
        plan=PLAN, layout=layout, packer=files, in_pictures=True, metadata=False
    )
    look = DecodeOptions(where="auto", finder=FaceDetector(), again=True)
    return Work(look=look, renderer=renderer, pickled=False, all_rows=False)


def models_alone(faces: np.ndarray, *, side_by_side: bool) -> float:
    """Return the faces a second of generator and judge, in one thread or on all cores."""
    models = TranslationModels(bundle.load(bundle.shipped()), "cpu")
    size = models.micro_batch(1, edits=False) if side_by_side else models.batch_size
    happy = in_full([3])
    models.judge(models.translate(faces[: models.batch_size], happy).faces)
    started = time.perf_counter()
    for i in range(0, len(faces), size):
        models.judge(models.translate(faces[i : i + size], happy).faces)
    return len(faces) / (time.perf_counter() - started)


def photographs(
    folder: Path, face: Path, out: Path, weights: Path, checkout: Path | None = None
) -> float:
    """Return the photographs that the command makes results of in a second of a core's time."""
    more = ("--weights", weights, "--threads", "--workers", "1", "--format", "jpeg", "--no-sheet")
    start = core_seconds(words(face, out, *more), checkout)
    return PHOTOGRAPHS / (core_seconds(words(folder, out, *more), checkout) - start)


def core_seconds(arguments: list[str], checkout: Path | None) -> float:
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
    """Return the peak memory of runs on so many links to the faces."""
    sources = sorted(faces.iterdir())
    for count in counts:
        folder = place / str(count)
        for number in range(count):
            path = folder / f"{number // 1000:04}" / f"{number:06}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(sources[number % len(sources)])
        arguments = words(folder, place / f"out-{count}", "--weights", weights, "--threads")
        done = subprocess.run(
            [sys.executable, "-c", PEAK, *arguments], stderr=subprocess.PIPE, text=True, check=True
        )
        yield f"{count} inputs: {int(done.stderr.split()[-1]) / 1024:.0f} MiB"


def measures(place: Path, asked: argparse.Namespace) -> dict[str, Measure]:
    """Return what is measured in each round."""
    faces, out = place / "faces", place / "out"
    levels = unpack(asked.data, faces, asked.faces)
    weights = bundles.write_bundle(place / "weights")
    large = photograph(place / "photographs")
    files = ("--weights", weights)
    each: dict[str, Measure] = {
        "files, one core": lambda: one_core(faces, out, weights),
        "files, threads": lambda: command(faces, out, *files, "--threads"),
        "files, processes": lambda: command(faces, out, *files, "--processes"),
        "files, side by side": lambda: command(
            faces, out, *files, "--threads", "--workers", "1", shards=cores()
        ),
        "models, one core": lambda: models_alone(levels, side_by_side=False),
        "models": lambda: models_alone(levels, side_by_side=True),
        "batch": lambda: command(faces, out),
        "photographs, one core": lambda: photographs(large, min(faces.iterdir()), out, weights),
    }
    if asked.before:
        before: Path = asked.before.resolve()
        each["batch, before"] = lambda: command(faces, out, checkout=before)
        each["photographs, before"] = lambda: photographs(
            large, min(faces.iterdir()), out, weights, before
        )
    return each


def main() -> None:
    """Print the figures and their ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="fer2013.csv")
    parser.add_argument("--faces", type=int, default=2000, help="pictures whose pace is measured")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--many", type=int, default=50_000, help="inputs of the large run")
    parser.add_argument("--before", type=Path, help="a checkout to compare the command with")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        each, rates = measures(place, asked), defaultdict[str, list[float]](list)
        for _ in range(asked.rounds):
            for what, measure in each.items():
                rates[what].append(measure())
                print(f"{what}: {rates[what][-1]:,.1f} a second", file=sys.stderr, flush=True)
        report({what: statistics.median(values) for what, values in rates.items()})
        counts = (FEW, asked.many) if asked.many else ()
        for line in memory(place / "faces", place, place / "weights", counts):
            print(line, flush=True)


def report(rate: dict[str, float]) -> None:
    """Print the rates and their ratios to the goals."""
    for what, value in rate.items():
        print(f"{what:26}{value:10,.1f} a second")
    every = cores() * rate["files, one core"]
    for kind in ("threads", "processes", "side by side"):
        share = rate[f"files, {kind}"] / every
        print(f"files by {kind}: {share:.2f} of {cores()} x one core")
    print(f"models: {rate['models'] / rate['models, one core']:.2f} times one core")
    slower = min(rate["models"], rate["files, one core"] * cores())
    print(f"batch: {rate['batch'] / slower:.2f} of its slower stage")
    if "batch, before" in rate:
        print(f"batch: {rate['batch'] / rate['batch, before']:.2f} times before")
        times = rate["photographs, one core"] / rate["photographs, before"]
        print(f"photographs: {times:.2f} times before")


if __name__ == "__main__":
    main()
