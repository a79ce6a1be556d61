"""What a photograph of 12 megapixels costs a core, by part.

    python -m tests.bench.speed.photographs
    python -m tests.bench.speed.photographs --before ../another-checkout

Milliseconds of a core's time, medians of drawn photographs with a face each and some noise, as
cameras make it. With `--before` each round measures the other checkout, too, in turns.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from cctranslate import bundle
from cctranslate.batch.items import Item
from cctranslate.batch.stages.chunks import DecodedChunk, ItemChunk, TranslatedChunk
from cctranslate.batch.stages.translate import translate
from cctranslate.inference.models import TranslationModels
from tests.bench.speed.inputs import photograph
from tests.bench.throughput import PLAN, work

NOISE = 3.0
"""Deviation in gray levels."""
T = TypeVar("T")


def noisy(folder: Path) -> list[Path]:
    """Return photographs with noise."""
    paths = sorted(photograph(folder).iterdir())
    for seed, path in enumerate(paths):
        with Image.open(path) as file:
            levels = np.asarray(file).astype(np.float32)
        levels += np.random.default_rng(seed).normal(0, NOISE, (*levels.shape[:2], 1))
        Image.fromarray(levels.clip(0, 255).astype(np.uint8)).save(path, quality=90)
    return paths


def changed(decoded: DecodedChunk, models: TranslationModels) -> list[TranslatedChunk]:
    """Return what the models make of a chunk."""
    return [one for one in translate([decoded], PLAN, models, str) if one]


def parts(place: Path) -> dict[str, float]:
    """Return the milliseconds of each part, with the package that this process imports."""
    spent = defaultdict[str, list[float]](list)

    def timed(part: str, call: Callable[[], T]) -> T:
        started = time.process_time()
        result = call()
        spent[part].append((time.process_time() - started) * 1000)
        return result

    models = TranslationModels(bundle.load(bundle.shipped()), "cpu")
    paths = noisy(place / "photographs")
    for form in ("jpeg", "png"):
        does = work(place / form, form)
        for path in paths:
            chunk = ItemChunk(items=[Item(path=path, relative=path.name, named=True)])
            decoded = timed("read and search", partial(does.decode, chunk))
            (translated,) = timed("models", partial(changed, decoded, models))
            timed(f"draw and write as {form}", partial(does.finish, translated))
    return {part: statistics.median(values) for part, values in spent.items()}


def measured(checkout: Path) -> dict[str, float]:
    """Return the milliseconds of each part in a checkout."""
    child = subprocess.run(
        [sys.executable, "-P", __file__, "--child"],
        env={**os.environ, "PYTHONPATH": str(checkout)},
        stdout=subprocess.PIPE,
        check=True,
    )
    return {part: float(value) for part, value in json.loads(child.stdout).items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", type=Path, help="a checkout to compare with")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        with tempfile.TemporaryDirectory() as name:
            print(json.dumps(parts(Path(name))))
        return
    checkouts = {"now": Path(__file__).parents[3]}
    if asked.before:
        checkouts = {"before": asked.before.resolve(), **checkouts}
    rounds = [{k: measured(path) for k, path in checkouts.items()} for _ in range(asked.rounds)]
    print(f"{'ms of a core':24}", *(f"{name:>8}" for name in checkouts))
    for part in rounds[0]["now"]:
        each = [statistics.median(one[name][part] for one in rounds) for name in checkouts]
        print(f"{part:24}", *(f"{value:8.0f}" for value in each))


if __name__ == "__main__":
    main()
