"""How quick `batch` is, what holds it up, and in how much memory it runs.

    python tests/bench/throughput.py fer2013.csv                          1,000 and 100,000 faces
    python tests/bench/throughput.py fer2013.csv --faces 200 --many 2000  the same, small

Writes the CSV's first faces as 48x48 PNGs and takes them to `happy` on the CPU with the weights
that ship: with the command as a process of its own, then through each stage alone, here, in one
thread and in batches as `batch` makes them. The loop does the same work one picture after the
other. All take turns three times; of each the time in the middle is told.

`of the slowest stage` is the command's pictures a second over that stage's. `of the processor time`
is the stages' over the command's, its start-up and page included: 100% is a run that does nothing
besides. It tells more than time does where other work shares the cores.

Memory is a process's peak with a bundle that does next to nothing, on links to the same faces:
beside small models more is seen of what grows with the number of inputs. Linux only.

`files alone` is the pace with that bundle: what a run comes to where the models take no time, by
worker threads and by worker processes, as many as there are cores.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from PIL import Image

from cctranslate import bundle
from cctranslate.batch.inputs.archives import from_tar_or_csv
from cctranslate.batch.inputs.decoding import Decoded, Look, Unusable, decode
from cctranslate.batch.inputs.exclusions import OutputPaths
from cctranslate.batch.inputs.sources import from_inputs
from cctranslate.batch.outputs.encoding import SUFFIXES, Encoding
from cctranslate.batch.outputs.layout import Layout
from cctranslate.batch.outputs.writers import Files
from cctranslate.batch.report.schema import Disposition
from cctranslate.batch.stages.render import ResultRenderer
from cctranslate.batch.stages.translate import TranslatedPicture, translate
from cctranslate.faces.detector import FaceDetector
from cctranslate.inference.models import TranslationModels
from cctranslate.inference.variants import Plan
from tests.support import bundles

TARGET = "happy"
FEW = 1000
"""Inputs of the smaller run whose memory is measured."""
FILES = 10_000
"""Inputs of the runs that show what files take by themselves."""
ROUNDS, STARTS = 3, 5
"""How often the pace and the start are measured; what is told is the one in the middle."""
MEASURE = """
import sys, time
from pathlib import Path
from cctranslate.cli import main
try:
    main()
finally:
    lines = Path('/proc/self/status').read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith('VmHWM'))
    print(time.process_time(), peak, file=sys.stderr)
"""
LOOK = Look(where="auto", finder=FaceDetector(), again=True)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What some pictures took: seconds, and of processor time."""

    count: int
    seconds: float
    processor: float

    def __str__(self) -> str:
        return f"{self.count / self.seconds:12,.1f}{1000 * self.processor / self.count:14.2f}"


def median(costs: list[Cost]) -> Cost:
    """The one in the middle by its seconds."""
    return sorted(costs, key=lambda cost: cost.seconds)[len(costs) // 2]


def words(source: Path, out: Path, *more: str | Path) -> list[str]:
    """The command's arguments for a run."""
    said = ("batch", source, "--to", TARGET, "-o", out, "--device", "cpu", "-q", *more)
    return list(map(str, said))


def command(count: int, arguments: list[str]) -> tuple[Cost, float]:
    """A run in a process of its own, and its peak memory in MiB."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *arguments], stderr=subprocess.PIPE, text=True, check=True
    )
    seconds = time.perf_counter() - started
    processor, peak = map(float, done.stderr.split())
    return Cost(count=count, seconds=seconds, processor=processor), peak / 1024


def timed(count: int, work: Callable[[], object]) -> Cost:
    """What `work` on so many pictures takes in this process."""
    started, used = time.perf_counter(), time.process_time()
    work()
    seconds, processor = time.perf_counter() - started, time.process_time() - used
    return Cost(count=count, seconds=seconds, processor=processor)


def start(arguments: list[str], first_line: bool) -> float:
    """Seconds, the median of several, until the first line on stdout, or until the end."""
    took = []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory() as out:
            placed = [word.replace("OUT", out) for word in arguments]
            started = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", "cctranslate", *placed], stdout=subprocess.PIPE
            )
            assert process.stdout is not None
            process.stdout.readline() if first_line else process.stdout.read()
            took.append(time.perf_counter() - started)
            process.stdout.close()
            process.wait()
    return statistics.median(took)


def renderer(out: Path, plan: Plan) -> ResultRenderer:
    """Return what the command writes its results with."""
    places = Layout(kind="imagefolder", suffix=SUFFIXES["png"], tagged=False, apart=False)
    packer = Files(out=out, encoding=Encoding(format="png", mark=True))
    return ResultRenderer(plan=plan, layout=places, packer=packer, in_pictures=True, metadata=False)


def in_batches(
    faces: list[Decoded | Unusable], plan: Plan, models: TranslationModels
) -> list[TranslatedPicture]:
    """Take decoded faces through generator and judge."""
    named = [replace(face, result_name=Path(face.item.relative).stem) for face in faces]
    pictures: list[TranslatedPicture | Unusable] = []
    for i in range(0, len(named), models.batch_size):
        pictures += translate(named[i : i + models.batch_size], plan, models, True)
    written = ((Disposition.WRITTEN,),)
    return [
        replace(picture, dispositions=written)
        for picture in pictures
        if isinstance(picture, TranslatedPicture)
    ]


def stages(folder: Path, out: Path) -> dict[str, Cost]:
    """Each stage alone, and the same work as a loop."""
    items = list(from_inputs([str(folder)], OutputPaths(())))
    plan, found = Plan(targets=(TARGET,)), bundle.load(bundle.shipped())
    models, single = (TranslationModels(found, "cpu", size) for size in (None, 1))
    write = renderer(out, plan)
    decoded: list[Decoded | Unusable] = []
    pictures: list[TranslatedPicture] = []

    def loop() -> None:
        for item in items:
            for picture in in_batches([decode(item, LOOK)], plan, single):
                write.finish(picture)

    for warm in (models, single):
        in_batches([decode(items[0], LOOK)], plan, warm)
    n = len(items)
    return {
        "decode": timed(n, lambda: decoded.extend(decode(item, LOOK) for item in items)),
        "inference": timed(n, lambda: pictures.extend(in_batches(decoded, plan, models))),
        "encode and write": timed(n, lambda: [write.finish(picture) for picture in pictures]),
        "loop, one by one": timed(n, loop),
    }


def unpack(data: Path, folder: Path, count: int) -> None:
    """Write a CSV's first faces as PNGs."""
    folder.mkdir()
    for number, row in enumerate(islice(from_tar_or_csv(data), count)):
        face = decode(row, LOOK)
        assert isinstance(face, Decoded), f"{row.source}: {face.reason}"
        Image.fromarray(face.faces[0].levels).save(folder / f"{number:06}.png")


def link(faces: Path, folder: Path, count: int) -> None:
    """`count` inputs in folders of a thousand, each a link to one of the faces."""
    sources = sorted(faces.iterdir())
    for number in range(count):
        place = folder / f"{number // 1000:04}" / f"{number:06}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(sources[number % len(sources)])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="fer2013.csv")
    parser.add_argument("--faces", type=int, default=1000, help="pictures whose pace is measured")
    parser.add_argument("--many", type=int, default=100_000, help="inputs of the large run")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        measure(Path(place), asked)


def measure(place: Path, asked: argparse.Namespace) -> None:
    """Print the tables, with files below `place`."""
    faces = place / "faces"
    unpack(asked.data, faces, asked.faces)
    print(f"{'':20}{'pictures/s':>12}{'processor ms':>14}", flush=True)
    rounds: list[dict[str, Cost]] = []
    for number in range(ROUNDS):
        whole, _ = command(asked.faces, words(faces, place / f"out-{number}"))
        rounds.append({"batch, all of it": whole, **stages(faces, place / f"stages-{number}")})
    middle = {name: median([costs[name] for costs in rounds]) for name in rounds[0]}
    for name, cost in middle.items():
        print(f"{name:20}{cost}")
    whole, *each, loop = middle.values()
    slowest = max(cost.seconds for cost in each)
    print(f"batch is {slowest / whole.seconds:.0%} of the slowest stage")
    print(
        f"the stages are {sum(cost.processor for cost in each) / whole.processor:.0%} of the "
        "processor time"
    )
    print(f"batch is {loop.seconds / whole.seconds:.2f} times as quick as the loop")

    print(f"--help after {start(['--help'], False):.2f} s", flush=True)
    single = start(words(next(faces.iterdir()), Path("OUT")), False)
    print(
        f"one picture after {single:.2f} s: batch is {single / (whole.seconds / whole.count):.0f} "
        "times as quick as a process for each"
    )
    rows = words(faces, Path("OUT"), "--report", "-")
    print(f"the first row of many after {start(rows, True):.2f} s", flush=True)

    weights = bundles.write_bundle(place / "weights")
    peaks = []
    for count in (FEW, asked.many):
        link(faces, place / str(count), count)
        made = words(place / str(count), place / f"out-{count}", "--weights", weights)
        cost, peak = command(count, made)
        print(f"{count} inputs: {peak:.0f} MiB, {cost.seconds:.0f} s", flush=True)
        peaks.append(peak)
    print(f"{peaks[1] / peaks[0]:.2f} times the memory")

    link(faces, place / "files", FILES)
    for kind in ("--threads", "--processes"):
        made = words(place / "files", place / f"out{kind}", "--weights", weights, kind)
        cost, _ = command(FILES, [*made, "--no-html"])
        print(f"files alone {kind}: {FILES / cost.seconds:,.0f} pictures/s", flush=True)


if __name__ == "__main__":
    main()
