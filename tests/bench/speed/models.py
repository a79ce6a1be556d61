"""The pace of generator and judge alone, for one target: as `batch` runs them, and otherwise."""

import time
from pathlib import Path

import numpy as np
import onnxruntime

from cctranslate import bundle
from cctranslate.inference.conditions import plain_conditions
from cctranslate.inference.models import TranslationModels
from cctranslate.inference.sessions import cores
from cctranslate.pixels import to_levels, to_scaled

HAPPY = plain_conditions([3])
BATCH = 16
"""Faces that `batch` gives a run on the CPU."""


def alone(faces: np.ndarray, *, side_by_side: bool, weights: Path | None = None) -> float:
    """Return the faces a second of generator and judge, in one thread or on all cores.

    They are those of the bundle that `weights` names, or else of what ships.
    """
    models = TranslationModels(bundle.load(weights or bundle.shipped()), "cpu")
    size = models.micro_batch(1, with_edits=False) if side_by_side else models.batch_size
    models.judge(models.translate(faces[: models.batch_size], HAPPY).faces)
    started = time.perf_counter()
    for i in range(0, len(faces), size):
        models.judge(models.translate(faces[i : i + size], HAPPY).faces)
    return len(faces) / (time.perf_counter() - started)


def shared_session(faces: np.ndarray) -> float:
    """Return the same of sessions that divide each layer among all cores, as `batch` once did."""
    loaded = bundle.load(bundle.shipped())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    generator, judge = (
        onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        for path in (loaded.generator, loaded.judge)
    )
    condition = {"labels": HAPPY.labels, "strength": HAPPY.strength}

    def translate(levels: np.ndarray) -> None:
        scaled = to_scaled(levels)[:, None]
        judge.run(["probabilities"], {"faces": scaled})
        (results,) = generator.run(["translated"], {"faces": scaled, **condition})
        judge.run(["probabilities"], {"faces": to_scaled(to_levels(results[:, 0]))})

    translate(faces[:BATCH])
    started = time.perf_counter()
    for i in range(0, len(faces), BATCH):
        translate(faces[i : i + BATCH])
    return len(faces) / (time.perf_counter() - started)
