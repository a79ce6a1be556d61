"""How quick `batch` is beside its stages, and in how much memory it runs.

    python tests/bench/throughput.py fer2013.csv                      some minutes
    python tests/bench/throughput.py fer2013.csv --only files --faces 10000 --many 0
    python tests/bench/throughput.py fer2013.csv --before ../another-checkout

Writes the CSV's first faces as 48x48 PNGs and takes them to `happy` on the CPU. Every figure is
measured in each round, one after the other, and the median of the rounds is printed: what else
the machine does disturbs all of them alike.

- `files, one core`: decoding, encoding and writing in this process, in one thread.
- `files`: the command with a bundle that does next to nothing, by threads and by processes, and
  as one command for each core side by side (`--shard`). The goal is 0.8 of cores x one core.
- `models, one core` and `models`: generator and judge alone, with the weights that ship; `models,
  shared session` with each layer divided among all cores. The goal is 1.3 times that.
- `batch`: the command with the weights that ship. The goal is 0.9 of the slower of the two.
- `photographs, one core`: the command on pictures of 12 megapixels, results as JPEG, in a core's
  time; models included, which take next to nothing.

The command's start is measured on one input and left out. With `--before`, `batch` of another
checkout, with its weights, takes its turns, too, on faces and on photographs, and so do its models,
run as this checkout runs models. Memory is a process's peak; Linux only.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from cctranslate import bundle
from cctranslate.batch.inputs.decoding import DecodeOptions
from cctranslate.batch.inputs.exclusions import InputFilter, OutputPaths
from cctranslate.batch.inputs.sources import from_inputs
from cctranslate.batch.outputs.encoding import Encoding
from cctranslate.batch.outputs.file_writer import FileWriter
from cctranslate.batch.outputs.layout import Layout, Names
from cctranslate.batch.stages.bounds import LARGEST_CHUNK
from cctranslate.batch.stages.chunks import ItemChunk
from cctranslate.batch.stages.render import ResultRenderer
from cctranslate.batch.stages.translate import translate
from cctranslate.batch.stages.worker_tasks import WorkerTasks
from cctranslate.faces.detector import FaceDetector
from cctranslate.inference.models import TranslationModels
from cctranslate.inference.sessions import cores
from cctranslate.inference.variants import Plan
from tests.bench.speed import models, runs
from tests.bench.speed.inputs import PHOTOGRAPHS, photograph, unpack
from tests.support import bundles

PLAN = Plan(targets=("happy",))
FEW = 1000
"""Inputs of the smaller run whose memory is measured."""
Measure = Callable[[], float]
"""Returns pictures a second."""


def one_core(folder: Path, out: Path, weights: Path) -> float:
    """Return the pictures a second that one thread decodes, encodes and writes."""
    opened, part = TranslationModels(bundle.load(weights), "cpu"), work(out, "png")
    items = list(from_inputs([str(folder)], OutputPaths(()), InputFilter()))
    seconds = 0.0
    for i in range(0, len(items), LARGEST_CHUNK):
        started = time.perf_counter()
        decoded = part.decode(ItemChunk(items=items[i : i + LARGEST_CHUNK]))
        seconds += time.perf_counter() - started
        (translated,) = filter(None, translate([decoded], PLAN, opened, Names().claim))
        started = time.perf_counter()
        part.finish(translated)
        seconds += time.perf_counter() - started
    return len(items) / seconds


def work(out: Path, form: str) -> WorkerTasks:
    """Return what the command's workers do."""
    layout = Layout(
        kind="imagefolder", suffix=f".{form}", names_strength=False, separate_faces=False
    )
    files = FileWriter(out=out, encoding=Encoding(format=form, mark=True))
    renderer = ResultRenderer(
        plan=PLAN, layout=layout, packer=files, in_pictures=True, metadata=False
    )
    options = DecodeOptions(face_mode="auto", detector=FaceDetector(), will_reread=True)
    return WorkerTasks(decode_options=options, renderer=renderer, pickled=False, all_rows=False)


def photographs(
    folder: Path, face: Path, place: Path, weights: Path, checkout: Path | None = None
) -> float:
    """Return the photographs that the command makes results of in a second of a core's time."""
    # Another checkout may not read this one's bundles.
    bundled = () if checkout else ("--weights", weights)
    more = (*bundled, "--threads", "--workers", "1", "--format", "jpeg")
    start = runs.core_seconds(runs.words(face, runs.fresh(place), *more), checkout)
    whole = runs.core_seconds(runs.words(folder, runs.fresh(place), *more), checkout)
    return PHOTOGRAPHS / (whole - start)


def measures(place: Path, asked: argparse.Namespace) -> dict[str, Measure]:
    """Return what is measured in each round."""
    faces = place / "faces"
    levels = unpack(asked.data, faces, asked.faces)
    weights = bundles.write_bundle(place / "weights")
    large = photograph(place / "photographs")
    files = ("--weights", weights)
    each: dict[str, Measure] = {
        "files, one core": lambda: one_core(faces, runs.fresh(place), weights),
        "files, threads": lambda: runs.rate(faces, place, *files, "--threads"),
        "files, processes": lambda: runs.rate(faces, place, *files, "--processes"),
        "files, side by side": lambda: runs.rate(
            faces, place, *files, "--threads", "--workers", "1", shards=cores()
        ),
        "models, one core": lambda: models.alone(levels, side_by_side=False),
        "models, shared session": lambda: models.shared_session(levels),
        "models": lambda: models.alone(levels, side_by_side=True),
        "batch": lambda: runs.rate(faces, place),
        "photographs, one core": lambda: photographs(large, min(faces.iterdir()), place, weights),
    }
    if asked.before:
        before: Path = asked.before.resolve()
        (card,) = before.glob(f"weights/**/{bundle.CARD}")
        each["models, before"] = lambda: models.alone(
            levels, side_by_side=True, weights=card.parent
        )
        each["batch, before"] = lambda: runs.rate(faces, place, checkout=before)
        each["photographs, before"] = lambda: photographs(
            large, min(faces.iterdir()), place, weights, before
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
    parser.add_argument("--only", default="", help="measure what begins so, as `files` or `models`")
    parser.add_argument("--before", type=Path, help="a checkout to compare the command with")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        rates = defaultdict[str, list[float]](list)
        every = measures(place, asked)
        each = {what: measure for what, measure in every.items() if what.startswith(asked.only)}
        for _ in range(asked.rounds):
            for what, measure in each.items():
                rates[what].append(measure())
                print(f"{what}: {rates[what][-1]:,.1f} a second", file=sys.stderr, flush=True)
        report({what: statistics.median(values) for what, values in rates.items()})
        counts = (FEW, asked.many) if asked.many else ()
        for line in runs.memory(place / "faces", place, place / "weights", counts):
            print(line, flush=True)


def report(rate: dict[str, float]) -> None:
    """Print the rates, and the ratios of those that were measured to the goals."""
    for what, value in rate.items():
        print(f"{what:26}{value:10,.1f} a second")
    files = cores() * rate.get("files, one core", 0)
    for kind in ("threads", "processes", "side by side"):
        if files:
            share = rate[f"files, {kind}"] / files
            print(f"files by {kind}: {share:.2f} of {cores()} x one core")
    for kind in ("one core", "shared session"):
        if "models" in rate:
            print(f"models: {rate['models'] / rate[f'models, {kind}']:.2f} times {kind}")
    if {"batch", "models"} <= rate.keys() and files:
        print(f"batch: {rate['batch'] / min(rate['models'], files):.2f} of its slower stage")
    pairs = {"models": "models", "batch": "batch", "photographs": "photographs, one core"}
    for what, new in pairs.items():
        if before := rate.get(f"{what}, before"):
            print(f"{what}: {rate[new] / before:.2f} times before")


if __name__ == "__main__":
    main()
