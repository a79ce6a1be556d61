"""Generator and judge over onnxruntime, on the device that was asked for or not at all."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from cctranslate.bundle import Bundle, BundleError
from cctranslate.errors import UserError
from cctranslate.pixels import SIZE, Gray, Scaled, to_levels, to_scaled

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
DEFAULT_BATCH = {CPU: 16, CUDA: 256}


class DeviceError(UserError):
    """The device that was asked for cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Translated:
    """Faces' translations [N,K,48,48] uint8 and what the judge makes of them.

    `probabilities` [N,K,7] of the translations, `before` [N,7] of the faces as they were.
    """

    faces: Gray
    probabilities: Scaled
    before: Scaled


class Models:
    """A bundle's two sessions, run in batches of one fixed size."""

    def __init__(self, bundle: Bundle, device: str = "auto", batch_size: int | None = None) -> None:
        """Open both graphs.

        Raises:
            DeviceError: `device` is no device, or CUDA was named and cannot be had.
            BundleError: a graph that onnxruntime cannot load.
        """
        wanted = _providers(device)
        self._generator = _open(bundle.generator, wanted)
        self._judge = _open(bundle.judge, wanted)
        self.provider: str = self._generator.get_providers()[0]
        if device.startswith("cuda") and self.provider != CUDA:
            raise DeviceError(
                f"--device {device}: onnxruntime cannot use CUDA here: install "
                "'cctranslate[gpu]' and a CUDA 13 driver, or use --device cpu"
            )
        self.batch_size = batch_size or DEFAULT_BATCH[self.provider]

    def run(self, faces: Gray, labels: Scaled) -> Translated:
        """Faces [N,48,48] uint8, N at most the batch size, and label rows [K,7].

        The batch is filled up to its fixed size: a new shape costs CUDA a search and memory.
        """
        n, k = len(faces), len(labels)
        filled = np.zeros((self.batch_size, 1, SIZE, SIZE), np.float32)
        filled[:n, 0] = to_scaled(faces)
        translated = self._generator.run(
            ["translated"], {"faces": filled, "labels": np.asarray(labels, np.float32)}
        )[0]
        levels = to_levels(translated[:, :, 0])
        # The judge sees what is written, rounded to gray levels, and the faces as they were.
        seen = np.concatenate([to_scaled(levels).reshape(-1, 1, SIZE, SIZE), filled])
        said = self._judge.run(["probabilities"], {"faces": seen})[0]
        return Translated(
            faces=levels[:n],
            probabilities=said[: self.batch_size * k].reshape(self.batch_size, k, -1)[:n],
            before=said[self.batch_size * k :][:n],
        )


def _providers(device: str) -> list[Any]:
    kind, _, number = device.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (number and not number.isdigit()):
        raise DeviceError(f"--device {device}: expected auto, cpu or cuda[:N]")
    if kind == "cpu" or (kind == "auto" and CUDA not in onnxruntime.get_available_providers()):
        return [CPU]
    # Searching every algorithm for each new shape takes seconds; the heuristic's pick is as good.
    options = {"device_id": int(number or 0), "cudnn_conv_algo_search": "HEURISTIC"}
    return [(CUDA, options), CPU]


def _open(path: Path, providers: list[Any]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # Left to itself onnxruntime pins threads, which fails noisily in containers and under SLURM.
    options.intra_op_num_threads = cores()
    if providers[0] != CPU and hasattr(onnxruntime, "preload_dlls"):
        with _stdout_to_stderr():
            onnxruntime.preload_dlls()
    try:
        with _stdout_to_stderr():
            return onnxruntime.InferenceSession(path, options, providers=providers)
    except Exception as error:
        first = str(error).splitlines()[0]
        raise BundleError(f"{path}: onnxruntime cannot load it: {first}") from None


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Keep what onnxruntime prints to the stdout descriptor out of pipes."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
