"""Generator and judge over onnxruntime, on the device that was asked for or not at all."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from cctranslate.bundle import Bundle
from cctranslate.errors import BundleError, DeviceError
from cctranslate.inference import attenuation
from cctranslate.pixels import SIZE, Gray, Scaled, to_levels, to_scaled

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
DEFAULT_BATCH = {CPU: 16, CUDA: 256}
_PARTS = ("flow", "paint")


@dataclass(frozen=True, kw_only=True)
class Translated:
    """Faces' translations [N,K,48,48] uint8, and the edits [N,K,3,48,48] that make them.

    An edit is where each place is fetched from, x and y in pixels, and the light added to it, in
    [-1,1] a gray range; None where they were not asked for. `before` [N,7] are the judge's
    probabilities of the faces as they came.
    """

    faces: Gray
    edits: Scaled | None
    before: Scaled


class TranslationModels:
    """A bundle's two sessions, run in batches of one fixed size."""

    def __init__(self, bundle: Bundle, device: str = "auto", batch_size: int | None = None) -> None:
        """Open both graphs.

        Raises:
            DeviceError: `device` is no device, or CUDA was named and cannot be had.
            BundleError: a graph that onnxruntime cannot load.
        """
        wanted = _providers(device)
        if wanted != [CPU] and hasattr(onnxruntime, "preload_dlls"):
            # It prints each library that it misses, which a machine without CUDA need not read.
            with redirect_stdout(io.StringIO()):
                onnxruntime.preload_dlls()
        try:
            self._open(bundle, wanted)
        except BundleError:
            if device != "auto" or wanted == [CPU]:
                raise
            # Where CUDA is half installed, onnxruntime raises or falls back as it sees fit.
            self._open(bundle, [CPU])
        if device.startswith("cuda") and self.provider != CUDA:
            raise _no_cuda(device)
        self.batch_size = batch_size or DEFAULT_BATCH[self.provider]

    def _open(self, bundle: Bundle, providers: list[Any]) -> None:
        self._generator = _session(bundle.generator, providers)
        self._judge = _session(bundle.judge, providers)
        used = {session.get_providers()[0] for session in (self._generator, self._judge)}
        self.provider = CUDA if used == {CUDA} else CPU
        number = providers[0][1]["device_id"] if self.provider == CUDA else 0
        self._memory = ("cuda" if self.provider == CUDA else "cpu", number)
        given = {output.name for output in self._generator.get_outputs()}
        self._parts = _PARTS if given.issuperset(_PARTS) else ()

    def translate(self, faces: Gray, labels: Scaled, edits: bool = False) -> Translated:
        """Faces [N,48,48] uint8, N at most the batch size, to label rows [K,7].

        Those that have a target already are left nearly as they are (`already`). The batch is
        filled up to its fixed size: a new shape costs CUDA a search and memory.

        Raises:
            DeviceError: the device gave up, as when its memory is full.
        """
        # Sent to the device once: both graphs read the faces where they lie.
        n, there = len(faces), self._sent(self._filled(faces))
        (before,) = self._outputs(self._judge, ["probabilities"], faces=there)
        shares = attenuation.share(before[:n], labels)
        wanted = ["translated", *(self._parts if edits else ())]
        sent = self._sent(labels)
        outputs = self._outputs(self._generator, wanted, faces=there, labels=sent)
        translated, *parts = (output[:n] for output in outputs)
        if edits and not parts:
            # A bundle from before there were edits: all that it changes is light.
            light = translated - to_scaled(faces)[:, None, None]
            parts = [np.zeros_like(light).repeat(2, 2), light]
        return Translated(
            faces=attenuation.toned(faces, to_levels(translated[:, :, 0]), shares),
            edits=np.concatenate(parts, 2) * shares[..., None, None, None] if edits else None,
            before=before[:n],
        )

    def judge(self, translated: Gray) -> Scaled:
        """The judge's probabilities [N,K,7] of translations [N,K,48,48] uint8.

        Raises:
            DeviceError: the device gave up, as when its memory is full.
        """
        n, k = translated.shape[:2]
        # The judge sees what is written, rounded to gray levels.
        levels = np.zeros((self.batch_size, k, SIZE, SIZE), np.uint8)
        levels[:n] = translated
        seen = self._sent(to_scaled(levels).reshape(-1, 1, SIZE, SIZE))
        (said,) = self._outputs(self._judge, ["probabilities"], faces=seen)
        return said.reshape(self.batch_size, k, -1)[:n]

    def _filled(self, faces: Gray) -> Scaled:
        filled = np.zeros((self.batch_size, 1, SIZE, SIZE), np.float32)
        filled[: len(faces), 0] = to_scaled(faces)
        return filled

    def _sent(self, array: Scaled) -> onnxruntime.OrtValue:
        """The array in the device's memory; a CPU's is where it is, and nothing is copied."""
        with self._device_may_give_up():
            contiguous = np.ascontiguousarray(array)
            return onnxruntime.OrtValue.ortvalue_from_numpy(contiguous, *self._memory)

    def _outputs(
        self,
        session: onnxruntime.InferenceSession,
        names: list[str],
        **inputs: onnxruntime.OrtValue,
    ) -> list[Scaled]:
        with self._device_may_give_up():
            binding = session.io_binding()
            for name, value in inputs.items():
                binding.bind_ortvalue_input(name, value)
            for name in names:
                binding.bind_output(name)  # to the host: it is rounded, judged and written there
            session.run_with_iobinding(binding)
            outputs: list[Scaled] = binding.copy_outputs_to_cpu()
        return outputs

    @contextmanager
    def _device_may_give_up(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            first = str(error).splitlines()[0]
            raise DeviceError(f"{self.provider}: {first}: try a smaller --batch-size") from None


def _no_cuda(device: str) -> DeviceError:
    return DeviceError(
        f"--device {device}: onnxruntime cannot use CUDA here: install 'cctranslate[gpu]' and a "
        "CUDA 13 driver, or use --device cpu"
    )


def _providers(device: str) -> list[Any]:
    kind, _, number = device.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (number and not number.isdigit()):
        raise DeviceError(f"--device {device}: expected auto, cpu or cuda[:N]")
    listed = CUDA in onnxruntime.get_available_providers()
    if kind == "cuda" and not listed:
        raise _no_cuda(device)
    if kind == "cpu" or not listed:
        return [CPU]
    # Searching every algorithm for each new shape takes seconds; the heuristic's pick is as good.
    options = {"device_id": int(number or 0), "cudnn_conv_algo_search": "HEURISTIC"}
    return [(CUDA, options), CPU]


def _session(path: Path, providers: list[Any]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # Fatal only: that CUDA cannot be had is said in one line, by us.
    onnxruntime.set_default_logger_severity(4)
    options.log_severity_level = 4
    # Left to itself onnxruntime pins threads, which fails noisily in containers and under SLURM.
    options.intra_op_num_threads = cores()
    # Threads that spin while they wait take the cores from those that decode and encode.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
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
