"""Does an emotion classifier gain from our results? The protocol, row by row, and its tables.

    python -m tests.bench.augment.bench run fer2013.csv ferplus.csv -o OUT --size 500
    python -m tests.bench.augment.bench table fer2013.csv ferplus.csv OUT --half report

A run is one student of four networks, trained on as many Training faces as the size says (drawn by
the seed), by one arm. OUT/runs.jsonl gets a line for each; those that are there are not run again.
Students are tested on PublicTest without copies of Training: choose an arm on one half, report the
other. Generator and judge saw all of Training, which is why the arms `fine-tuning` and
`distillation` are there: they had that too. The arm `small-generator` needs a bundle trained on
the student's faces alone: `faces` writes them for `cctranslate fit`.
"""

from pathlib import Path

import click
import torch
from PIL import Image

from cctranslate.emotions import EMOTIONS
from cctranslate.fer2013 import USAGES
from cctranslate.training import device as devices
from cctranslate.training.data import fer2013, ferplus
from tests.bench.augment import faces, tables
from tests.bench.augment.arms import ARMS
from tests.bench.augment.runs import SIZES, Queue, Settings, read
from tests.bench.augment.students import STUDENTS

PATH = click.Path(path_type=Path, exists=True)
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def main() -> None:
    """Measure what results are worth to an emotion classifier."""


@main.command()
@click.argument("data", type=PATH)
@click.argument("votes", type=PATH)
@click.option("-o", "--out", type=FOLDER, required=True, help="Where runs and results are stored.")
@click.option("--size", type=click.Choice(list(SIZES)), multiple=True, help="[default: all four]")
@click.option("--student", type=click.Choice(list(STUDENTS)), multiple=True)
@click.option("--arm", type=click.Choice(list(ARMS)), multiple=True, help="[default: all]")
@click.option("--seeds", default="0-4", show_default=True, help="First and last seed.")
@click.option("--steps", type=int, help="Steps of a run.  [default: by size]")
@click.option("--width", default=1, show_default=True, help="Multiplies the students' channels.")
@click.option("--device", default="auto", show_default=True)
@click.option("--weights", type=PATH, help="The bundle that makes results.  [default: shipped]")
@click.option("--small", type=PATH, help="A folder of bundles SIZE-SEED for small-generator.")
def run(
    data: Path,
    votes: Path,
    out: Path,
    size: tuple[str, ...],
    student: tuple[str, ...],
    arm: tuple[str, ...],
    seeds: str,
    steps: int | None,
    width: int,
    device: str,
    weights: Path | None,
    small: Path | None,
) -> None:
    """Train the students that OUT has no line of, seed after seed, the most telling arms first."""
    first, _, last = seeds.partition("-")
    out.mkdir(parents=True, exist_ok=True)
    torch.set_float32_matmul_precision("high")
    queue = Queue(
        fer2013.load(data),
        ferplus.load_votes(votes),
        out,
        Settings(
            steps=steps,
            width=width,
            device=devices.choose(device),
            weights=weights,
            small=small,
        ),
    )
    queue.run(
        sizes=[name for name in SIZES if not size or name in size],
        students=[name for name in STUDENTS if not student or name in student],
        arms=[each for name, each in ARMS.items() if not arm or name in arm],
        seeds=range(int(first), int(last or first) + 1),
        echo=click.echo,
    )


@main.command()
@click.argument("data", type=PATH)
@click.argument("votes", type=PATH)
@click.argument("out", type=FOLDER)
@click.option("--half", type=click.Choice(["choose", "report"]), default="choose")
@click.option("--truth", type=click.Choice(["fer2013", "ferplus"]), default="fer2013")
@click.option("--against", default="plain", show_default=True, help="The arm to compare with.")
def table(
    data: Path, votes: Path, out: Path, half: faces.Half, truth: faces.Truth, against: str
) -> None:
    """Print figures of each arm, and how far they are from another's, as Markdown."""
    tested = faces.for_test(fer2013.load(data), ferplus.load_votes(votes))
    for line in tables.lines(read(out), tested, half=half, truth=truth, against=against):
        click.echo(line)


@main.command("faces")
@click.argument("data", type=PATH)
@click.argument("out", type=FOLDER)
@click.option("--size", type=int, required=True)
@click.option("--seed", type=int, required=True)
def write_faces(data: Path, out: Path, size: int, seed: int) -> None:
    """Write a seed's training faces as pictures, for a generator that sees no others.

    Their names carry the row numbers that FER+ votes go by.
    """
    chosen = faces.draw(fer2013.load(data)[USAGES[0]], size, seed)
    for image, label, row in zip(chosen.images, chosen.labels, chosen.rows, strict=True):
        path = out / "train" / EMOTIONS[label] / f"{USAGES[0]}_{row:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)


if __name__ == "__main__":
    main()
