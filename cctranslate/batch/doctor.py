"""Check what `batch` runs on: findings, with advice where something is wrong.

onnxruntime is imported only where its failure is caught, as a broken one is to be reported.
"""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cctranslate import bundle
from cctranslate.bundle import Bundle
from cctranslate.errors import UserError
from cctranslate.inference.conditions import plain_conditions
from cctranslate.pixels import SIZE

if TYPE_CHECKING:
    from cctranslate.inference.engines import Engine
    from cctranslate.inference.models import TranslationModels
    from cctranslate.inference.openvino_graphs import Precision

PACKAGES = (
    "cctranslate",
    "numpy",
    "pillow",
    "opencv-python-headless",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "torch",
)
BATCHES = 4
"""Micro-batches that the self-test times."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of a check; `advice` is empty if nothing is wrong."""

    name: str
    text: str
    advice: str = ""
    fatal: bool = False
    """Whether `batch` cannot run as requested."""


def examine(
    weights: Path | None, device: str, engine: Engine = "auto", precision: Precision = "f32"
) -> Iterator[Finding]:
    """Check versions, onnxruntime, the detector, the bundle and devices; then time a few faces."""
    yield Finding(name="python", text=platform.python_version())
    for package in PACKAGES:
        yield Finding(name=package, text=_version(package) or "not installed")
    yield from _conflicting_runtimes()
    runtime = _onnxruntime()
    yield runtime
    yield _detector()
    loaded, text = _bundle(weights)
    yield from text
    if loaded is None or runtime.fatal:
        return
    if device == "auto":
        yield _cuda(loaded)
    yield _selftest(loaded, device, engine, precision)


def _version(package: str) -> str | None:
    """Return a package's version without importing it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _conflicting_runtimes() -> Iterator[Finding]:
    if _version("onnxruntime") and _version("onnxruntime-gpu"):
        yield Finding(
            name="packages",
            text="onnxruntime and onnxruntime-gpu overwrite each other's files",
            advice="pip uninstall -y onnxruntime onnxruntime-gpu, then pip install onnxruntime-gpu",
        )


def _onnxruntime() -> Finding:
    try:
        import onnxruntime

        listed = ", ".join(onnxruntime.get_available_providers())
    except Exception as error:
        # A broken installation raises ImportError, AttributeError or OSError.
        return Finding(
            name="import",
            text=f"onnxruntime cannot be used: {error}",
            advice="pip uninstall -y onnxruntime onnxruntime-gpu, then pip install cctranslate "
            "again",
            fatal=True,
        )
    return Finding(name="import", text=f"onnxruntime {onnxruntime.__version__} lists {listed}")


def _detector() -> Finding:
    try:
        from cctranslate.faces.detector import FaceDetector

        digest = FaceDetector().digest
    except Exception as error:
        # A broken OpenCV raises nearly anything.
        return Finding(
            name="detector",
            text="cannot be used",
            advice=f"{error}; or pip install --force-reinstall opencv-python-headless",
            fatal=True,
        )
    return Finding(name="detector", text=f"sha256 {digest}")


def _bundle(weights: Path | None) -> tuple[Bundle | None, list[Finding]]:
    folder = weights or bundle.shipped()
    try:
        loaded = bundle.load(folder)
    except UserError as error:
        text = Finding(name="bundle", text="cannot be used", advice=str(error), fatal=True)
        return None, [text]
    digests = [Finding(name=model, text=f"sha256 {d}") for model, d in loaded.digests.items()]
    return loaded, [Finding(name="bundle", text=str(folder)), *digests]


def _cuda(loaded: Bundle) -> Finding:
    """Check that CUDA really runs: onnxruntime lists it even where it cannot be used."""
    from cctranslate.inference.models import TranslationModels

    try:
        TranslationModels(loaded, "cuda")
    except UserError:
        if not shutil.which("nvidia-smi"):
            return Finding(name="CUDA", text="no NVIDIA driver here: batch runs on the CPU")
        return Finding(
            name="CUDA",
            text="there is an NVIDIA driver, but no session can be opened on it",
            advice="pip install 'cctranslate[gpu]' (CUDA 13), or onnxruntime-gpu==1.26.* for a "
            "driver of CUDA 12",
        )
    return Finding(name="CUDA", text="usable: a session was opened on it")


def _selftest(loaded: Bundle, device: str, engine: Engine, precision: Precision) -> Finding:
    from cctranslate.inference.models import TranslationModels

    try:
        return _timed(TranslationModels(loaded, device, None, engine, precision))
    except UserError as error:
        return Finding(name="self-test", text="failed", advice=str(error), fatal=True)


def _timed(models: TranslationModels) -> Finding:
    """Measure faces a second through generator and judge, and check their outputs."""
    count = models.micro_batch(1, with_edits=False)
    faces = np.random.default_rng(0).integers(0, 256, (count, SIZE, SIZE), np.uint8)
    conditions = plain_conditions([0])
    models.judge(models.translate(faces, conditions).faces)  # warm up
    models.classify_presence(faces)
    started = time.perf_counter()
    for _ in range(BATCHES):
        translated = models.translate(faces, conditions)
        judged = models.judge(translated.faces)
    pace = BATCHES * len(faces) / (time.perf_counter() - started)
    if not (
        np.isfinite(translated.source_probabilities).all()
        and np.allclose(judged.sum(-1), 1, atol=1e-3)
    ):
        return Finding(
            name="self-test",
            text="the judge's probabilities do not add up to 1, or pixels are no numbers",
            advice="export the bundle again, or try --device cpu",
            fatal=True,
        )
    provider = models.provider.removesuffix("ExecutionProvider")
    text = f"{pace:,.0f} faces a second on {provider}, {models.engine} in {models.precision}"
    return Finding(name="self-test", text=text)
