"""Where the models' time goes: by stage of a face's way, by kind of layer, and by layer.

    python -m tests.bench.speed.layers                      a minute of one core
    python -m tests.bench.speed.layers --weights runs/001-mouth-student/bundle --top 5

Runs each graph of a bundle on noise in onnxruntime, on one core as `batch` does, with
onnxruntime's profiler. Layers bear the names that they have once onnxruntime has rewritten
the graph. What a face costs for each target (the generator's decoder) is the difference between
seven targets and one; what is left of one is the encoder.
"""

import argparse
import json
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime

from cctranslate import bundle
from cctranslate.emotions import EMOTIONS, NUM_CLASSES
from cctranslate.pixels import SIZE
from tests.bench.speed.models import BATCH

WARM, RUNS = 3, 12
BATCHES = (8, 32)
Layers = Counter[tuple[str, str]]
"""Microseconds of a run by kind and name."""


def profile(path: Path, faces: int, targets: int) -> Layers:
    """Return the microseconds of each layer in one run of a graph on a batch of `faces`."""
    inputs = graph_inputs(path, faces, targets)
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        options.enable_profiling = True
        options.profile_file_prefix = f"{folder}/profile"
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        # As in `batch`, the first output alone: the edits are for photographs.
        first = [session.get_outputs()[0].name]
        for _ in range(WARM + RUNS):
            session.run(first, inputs)
        events = json.loads(Path(session.end_profiling()).read_text())
    return layers(events)


def graph_inputs(path: Path, faces: int, targets: int) -> dict[str, Any]:
    """Return noise, and labels where the graph takes some."""
    noise = np.random.default_rng(0).uniform(-1, 1, (faces, 1, SIZE, SIZE)).astype(np.float32)
    labels = np.eye(NUM_CLASSES, dtype=np.float32)[:targets]
    inputs = {"faces": noise, "labels": labels, "strength": np.ones(targets, np.float32)}
    return inputs if path.stem == "generator" else {"faces": noise}


def layers(events: list[dict[str, Any]]) -> Layers:
    """Return the mean of the runs after those that warm up, from the profiler's events."""
    begins = sorted(event["ts"] for event in events if event["name"] == "model_run")[WARM]
    taken: Layers = Counter()
    for event in events:
        name = event["name"]
        if event["cat"] == "Node" and name.endswith("_kernel_time") and event["ts"] >= begins:
            taken[event["args"]["op_name"], name.removesuffix("_kernel_time")] += event["dur"]
    return Counter({layer: value / RUNS for layer, value in taken.items()})


def show(name: str, faces: int, taken: Layers, top: int) -> None:
    """Print a graph's kinds of layer and its costliest layers."""
    whole = taken.total()
    print(f"\n{name}, {faces} faces: {whole / faces / 1000:.2f} ms a face")
    kinds: Counter[str] = Counter()
    for (kind, _), value in taken.items():
        kinds[kind] += value
    for kind, value in kinds.most_common(top):
        print(f"  {value / whole:6.1%}  {kind}")
    for (kind, layer), value in taken.most_common(top):
        print(f"    {value / whole:6.1%}  {layer} ({kind})")


def show_stages(loaded: bundle.Bundle) -> None:
    """Print what a face's way through the models takes, for one target and for all."""
    n, count = BATCH, len(EMOTIONS)

    def each(path: Path, targets: int = 1) -> float:
        return profile(path, n, targets).total() / n / 1000

    one, every = each(loaded.generator), each(loaded.generator, count)
    decode = (every - one) / (count - 1)
    judge = each(loaded.judge)
    for targets in (1, count):
        stages = {
            "judge, the face": judge,
            "generator, encoder": one - decode,
            "generator, decoder": targets * decode,
            "judge, the results": targets * judge,
        }
        whole = sum(stages.values())
        print(f"\n{targets} of {count} targets, {n} faces a run: {whole:.2f} ms a face")
        for stage, value in stages.items():
            print(f"  {value / whole:6.1%}  {stage}")


def main() -> None:
    """Print the fractions."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, default=bundle.shipped(), help="a bundle")
    parser.add_argument("--top", type=int, default=10, help="kinds and layers shown of each graph")
    asked = parser.parse_args()
    loaded = bundle.load(asked.weights)
    show_stages(loaded)
    graphs = [loaded.generator, loaded.judge]
    graphs += [loaded.file(name) for name in bundle.OPTIONAL if loaded.holds(name)]
    for path in graphs:
        for faces in BATCHES:
            show(path.stem, faces, profile(path, faces, 1), asked.top)


if __name__ == "__main__":
    main()
